import { aligned } from '../aligned.ts';
import { targets, type WholePair } from './measure.ts';
import type { WholeFigures } from './whole.ts';

const rows: readonly (readonly [what: string, of: (figures: WholeFigures) => number, unit: string])[] = [
  ['pods', ({ pods }) => pods, ''],
  ['assignments', ({ assigned }) => assigned, ''],
  ['from its start to the second plan', ({ readySeconds }) => readySeconds, ' s'],
  [`memory at most (${targets.wholeMb} MB)`, ({ peakMb }) => peakMb, ' MB'],
  ['memory when all is quiet', ({ quietMb }) => quietMb, ' MB'],
];

/** The built MIC beside a server that makes the cluster up, and how many figures miss their target. */
export function wholeReport({ tenth, full }: WholePair): { readonly text: string; readonly missed: number } {
  const lines = rows.map(([what, of, unit]) => {
    const values = [tenth, full].map((figures) => {
      const isOver = of(figures) === figures.peakMb && figures.peakMb > targets.wholeMb;
      return `${Math.round(of(figures)).toLocaleString('en-US')}${unit}${isOver ? ' MISSED' : ''}`;
    });
    return [what, ...values];
  });
  const text = [
    ...[
      '',
      'MIC as it is shipped, every pod with an assignment; the pods are listed twice, as after a compaction:',
    ],
    aligned([['', 'a tenth', 'full size'], ...lines]),
  ].join('\n');
  return { text, missed: [tenth, full].filter(({ peakMb }) => peakMb > targets.wholeMb).length };
}
