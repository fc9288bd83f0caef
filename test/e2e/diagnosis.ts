import type { Kubectl } from './kubectl.ts';
import { managed, standard } from './stage.ts';

const questions: readonly (readonly string[])[] = [
  ['get', 'pods', '-A', '-o', 'wide'],
  ...[managed, standard].map(({ home }) => [
    ...['logs', '-n', home, '-l', 'component in (nmi, mic)'],
    ...['--tail=200', '--prefix', '--ignore-errors'],
  ]),
  ['get', 'azureassignedidentities', '-A', '-o', 'custom-columns=NAME:.metadata.name,STATE:.status.status'],
];

/** The line that an agent logs for every request that it answers with a token. */
const served = /INFO {2}request .* status=200 /;

/** What a person would look at first when a scenario fails. */
export async function diagnosis(kubectl: Kubectl): Promise<string> {
  const answers = await Promise.all(
    questions.map((question) => kubectl.show(...question).catch((error: Error) => error.message)),
  );
  const lines = answers.flatMap((answer) => [...answer.trimEnd().split('\n'), '']);
  return lines
    .filter((line) => !served.test(line))
    .map((line) => `    ${line.slice(0, 400)}`)
    .join('\n');
}
