import t from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { refusalOf } from '../fakes/failure.ts';

const onShutdown = (...flags: readonly string[]): string =>
  loadNmiConfig(['--node=n', ...flags], {}).onShutdown;

t.test('goes by its DaemonSet at the end unless a flag decides', async (t) => {
  t.equal(onShutdown(), 'auto');
  for (const kind of ['auto', 'withdraw', 'keep']) t.equal(onShutdown(`--on-shutdown=${kind}`), kind);
});

t.test('says what --on-shutdown takes', async (t) => {
  t.same(await refusalOf(() => onShutdown('--on-shutdown=leave')), {
    code: 'flag-invalid',
    message: '--on-shutdown is "leave", but it takes one of auto, withdraw, keep',
  });
});
