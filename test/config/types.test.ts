import t from 'tap';
import type { FlagType } from '../../lib/config/flag.ts';
import { bool, choice, httpsHost, int, ip, ipv4, list, port, text } from '../../lib/config/types.ts';

interface Row {
  readonly type: FlagType<unknown>;
  readonly good: readonly (readonly [string, unknown])[];
  readonly bad: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  'text is anything': {
    type: text,
    good: [
      ['', ''],
      [' a=b ', ' a=b '],
    ],
    bad: [],
  },
  "a switch takes the spellings of Go's flag package": {
    type: bool,
    good: [
      ['true', true],
      ['TRUE', true],
      ['t', true],
      ['1', true],
      ['false', false],
      ['F', false],
      ['0', false],
    ],
    bad: ['', 'yes', 'no', 'on', 'tr', 'true\n', ' true', '2'],
  },
  'a whole number stays in its range, ends included': {
    type: int(1, 3600),
    good: [
      ['1', 1],
      ['3600', 3600],
      ['060', 60],
    ],
    bad: ['', '0', '3601', '-1', '1.5', '1e3', '0x10', ' 1', '60s', '9'.repeat(400)],
  },
  'a port is from 1 to 65535': {
    type: port,
    good: [
      ['1', 1],
      ['65535', 65535],
    ],
    bad: ['0', '65536', 'http', '-80', ''],
  },
  'an IPv4 address is four plain numbers': {
    type: ipv4,
    good: [['169.254.169.254', '169.254.169.254']],
    bad: [
      '',
      '::1',
      '169.254.169',
      '169.254.169.254/32',
      '169.254.169.256',
      '0251.0376.1.1',
      'localhost',
      ' 1.1.1.1',
    ],
  },
  'an IP address may be of either family': {
    type: ip,
    good: [
      ['127.0.0.1', '127.0.0.1'],
      ['::', '::'],
      ['fd00::1', 'fd00::1'],
    ],
    bad: ['', 'localhost', '[::1]', '1.2.3.4:80'],
  },
  'an https origin is taken for its host': {
    type: httpsHost,
    good: [
      ['https://login.example.com', 'login.example.com'],
      ['HTTPS://Login.Example.com/', 'login.example.com'],
      ['https://10.0.0.1', '10.0.0.1'],
    ],
    bad: [
      '',
      'login.example.com',
      'http://login.example.com',
      'https://login.example.com:8443',
      'https://user@login.example.com',
      'https://login.example.com/path',
      'https://login.example.com?',
      'https://login.example.com#',
      'https://login.example.com\\',
      'https://',
      'https://a b',
    ],
  },
  'a choice is taken in any letter case': {
    type: choice('standard', 'managed'),
    good: [
      ['managed', 'managed'],
      ['Managed', 'managed'],
      ['STANDARD', 'standard'],
    ],
    bad: ['', 'manage', 'managed ', 'standard,managed'],
  },
};

for (const [promise, { type, good, bad }] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    for (const [given, value] of good) t.equal(type.parse(given), value, JSON.stringify(given));
    for (const given of bad)
      t.equal(type.parse(given), undefined, `refuses ${JSON.stringify(given.slice(0, 30))}`);
  });
}

t.test('a list has commas between, and one bad item spoils it', async (t) => {
  const ports = list(port);
  t.same(ports.parse('1, 2,65535'), [1, 2, 65535]);
  t.same(ports.parse(''), []);
  for (const bad of [',', '1,', '1,,2', '1,x']) t.equal(ports.parse(bad), undefined, bad);
  t.equal(ports.expects, 'a port from 1 to 65535; several with commas between');
});

t.test('only a switch may stand alone', async (t) => {
  t.same(
    [bool.bare, text.bare, port.bare, ip.bare, int(0, 1).bare],
    [true, undefined, undefined, undefined, undefined],
  );
});

t.test('a choice of one says so', async (t) => {
  t.equal(choice('nft').expects, 'only nft');
  t.equal(choice('nft', 'legacy').expects, 'one of nft, legacy');
});
