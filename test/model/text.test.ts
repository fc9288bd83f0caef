import t from 'tap';
import { clean } from '../../lib/model/text.ts';

t.test('leaves ordinary text as it is, in any script', async (t) => {
  for (const text of ['', 'web', 'https://vault.azure.net', 'größer 漢字 🙂']) t.equal(clean(text), text);
});

t.test('replaces what moves a cursor, breaks a line or turns the direction', async (t) => {
  for (const mark of [
    '\0',
    '\n',
    '\r',
    '\t',
    '\x1b',
    '\x7f',
    '\x9b',
    '\u2028',
    '\u2029',
    '\u202e',
    '\u200b',
    '\ufeff',
  ])
    t.equal(clean(`a${mark}b`), 'a?b', `U+${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
  t.equal(clean('\u{e0041}'), '?', 'an invisible tag character');
});

t.test('cuts after 200 characters and says so', async (t) => {
  t.equal(clean('x'.repeat(200)), 'x'.repeat(200));
  t.equal(clean('x'.repeat(201)), `${'x'.repeat(200)}…`);
  t.equal(clean('\n'.repeat(1_000_000)), `${'?'.repeat(200)}…`);
});

t.test('never leaves half of a surrogate pair', async (t) => {
  t.equal(clean(`${'x'.repeat(199)}🙂`), `${'x'.repeat(199)}?…`, 'cut in the middle of one');
  t.equal(clean('a\ud83d'), 'a?');
  t.equal(clean('\ude42b'), '?b');
});
