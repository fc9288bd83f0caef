import t from 'tap';
import { callerAddress } from '../../lib/metadata/caller.ts';

t.test('gives the address in the form of status.podIPs', (t) => {
  const cases: [string | undefined, string | undefined][] = [
    ['10.0.0.5', '10.0.0.5'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['::FFFF:10.0.0.5', '10.0.0.5'],
    ['::ffff:a00:5', '10.0.0.5'],
    ['0:0:0:0:0:ffff:0a00:0005', '10.0.0.5'],
    ['fd00::5', 'fd00::5'],
    ['FD00:0:0:0:0:0:0:5', 'fd00::5'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['::10.0.0.5', '::a00:5'], // IPv4-compatible is not mapped: nobody's
    [undefined, undefined],
    ['', undefined],
    ['10.0.0.5/24', undefined],
    ['::ffff:10.0.0.256', undefined],
    ['::ffff:', undefined],
    ['/run/socket', undefined],
    ['not an address', undefined],
  ];
  for (const [remote, address] of cases) t.equal(callerAddress(remote), address, String(remote));
  t.end();
});
