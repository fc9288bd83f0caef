import t from 'tap';
import { checkKubenet } from '../../lib/pods/kubenet.ts';

const path = '/etc/default/kubelet';
const check = (text: string | Error, allow = false) =>
  checkKubenet({
    path,
    allow,
    readFile: async (asked) => {
      t.equal(asked, path);
      if (text instanceof Error) throw text;
      return text;
    },
  });

const flags = 'KUBELET_FLAGS=--max-pods=110 --network-plugin=kubenet --node-ip=10.0.0.4\n';

t.test("refuses a node whose kubelet's file says kubenet, with the reason and both ways out", async (t) => {
  const verdict = await check(flags);
  t.match(verdict, { kind: 'refused', why: /NET_RAW can take a neighbour's address/ });
  t.match(verdict, { why: /--pin-neighbours/ });
  t.match(verdict, { why: /--allow-network-plugin-kubenet/ });
  t.match(verdict, { why: path });
});

t.test('accepts such a node when it is allowed', async (t) => {
  t.same(await check(flags, true), { kind: 'ok' });
});

t.test('accepts a node whose file says another plugin or none', async (t) => {
  for (const text of ['KUBELET_FLAGS=--network-plugin=azure\n', 'KUBELET_FLAGS=--max-pods=110'])
    t.same(await check(text), { kind: 'ok' }, text);
});

t.test('only warns when the file is missing or unreadable', async (t) => {
  const missing = new Error("ENOENT: no such file or directory, open '/etc/default/kubelet'");
  t.match(await check(missing), { kind: 'warning', why: /cannot be read \(ENOENT.*--kubelet-config/ });
});

t.test('warns of the empty file that a mount of type FileOrCreate makes', async (t) => {
  for (const text of ['', ' \n']) t.match(await check(text), { kind: 'warning', why: /is empty/ });
});

t.test('does not mind the file when kubenet is allowed', async (t) => {
  for (const text of ['', new Error('EACCES')]) t.same(await check(text, true), { kind: 'ok' });
});
