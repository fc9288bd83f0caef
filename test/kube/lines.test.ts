import t from 'tap';
import { LineDecoder } from '../../lib/kube/lines.ts';

function decode(chunks: readonly string[] | readonly Uint8Array[], maxBytes = 100): string[] {
  const decoder = new LineDecoder(maxBytes);
  return chunks.flatMap((chunk) => [...decoder.push(Buffer.from(chunk as string))]);
}

t.test('cuts at newlines, wherever chunks end', async (t) => {
  t.same(decode(['one\ntwo\nthr', 'ee\n', '', '\nfour']), ['one', 'two', 'three', '']);
});

t.test('joins a character that is split over chunks', async (t) => {
  const bytes = Buffer.from('a€🦊\n');
  t.same(decode([...bytes].map((byte) => Uint8Array.of(byte))), ['a€🦊']);
});

t.test('takes a line of exactly the limit, and none longer', async (t) => {
  t.same(decode(['12345\n'], 5), ['12345']);
  t.throws(() => decode(['123', '456\n'], 5), { code: 'kube-too-large' });
  t.throws(() => decode(['123456'], 5), { code: 'kube-too-large' });
  t.same(decode(['12345\n12345\n'], 5), ['12345', '12345']);
});

t.test('refuses bytes that are not UTF-8', async (t) => {
  t.throws(() => decode([Uint8Array.of(0x61, 0xff, 0x0a)]), { code: 'kube-garbled' });
});
