import t from 'tap';
import { ownWords } from '../../lib/assign/own-words.ts';
import { armId, vmssId } from './making.ts';

const own = armId('mine').toLowerCase();
const other = 'another identity of the machine';
const set = vmssId('pool')
  .slice('azure://'.length)
  .replace(/\/virtualMachines.*/, '');

const rows: Readonly<Record<string, readonly [string, string]>> = {
  'hides an identity of somebody else': [
    `Resource '${armId('his')}' was not found.`,
    `Resource '${other}' was not found.`,
  ],
  'keeps its own, in any letter case': [`Resource '${armId('MINE')}'.`, `Resource '${armId('MINE')}'.`],
  'hides one whose name begins as its own, or ends so': [
    `${armId('mine-2')} ${armId('a.mine')}`,
    `${other} ${other}`,
  ],
  'hides those of a list': [
    `'${armId('a')},${armId('b')},${own}'`,
    `'other identities of the machine,${own}'`,
  ],
  'hides a short name, and keeps its own': [
    'Microsoft.ManagedIdentity/userAssignedIdentities/his, Microsoft.ManagedIdentity/userAssignedIdentities/mine',
    `${other}, Microsoft.ManagedIdentity/userAssignedIdentities/mine`,
  ],
  'hides what was cut, unless it may be its own': [
    `${armId('his').slice(0, -1)}… ${'/subscriptions/other/res…'} ${own.slice(0, 40)}…`,
    `${other}… ${other}… ${own.slice(0, 40)}…`,
  ],
  'keeps actions and the machine': [
    `'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on '${set}' or ${set}…`,
    `'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on '${set}' or ${set}…`,
  ],
  'keeps the end of a sentence': [`It is ${own}. It was ${armId('his')}.`, `It is ${own}. It was ${other}.`],
};

for (const [promise, [text, expected]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.equal(ownWords(text, own), expected);
  });
}
