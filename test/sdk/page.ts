import { type Case, cases } from './cases.ts';
import type { Row } from './row.ts';

/** What docs/sdk-conformance.md holds. */
export interface Page {
  /** Version by client, in the order of the tables. */
  readonly versions: ReadonlyMap<string, string>;
  /** Without what the clients said. */
  readonly rows: readonly PageRow[];
}

export type PageRow = Omit<Row, 'said'>;

const intro = `# SDK conformance

What the clients of Azure get through the agent: unmodified, each in a pod's own network namespace with an identity of its own, through
the kernel's redirect, in standard mode, with no flag of the agent that bears on tokens. \`scripts/test --full\` runs all of them and writes
this page; every test run holds those that are installed to it, in result and answers. The seconds are those of the machine on which it was
written, with the start of the program; they are compared with nothing.

*Answers* are the statuses of the agent's answers, one for each request that the client sent. A first 400 is the answer to a probe, which
is a request without \`Metadata: true\`. A token counts only if it is one of the pod's own identity, for the resource that was asked for.
`;

const outro = `## What this does not show

- MSAL Python is not run: Debian's 1.21 has no client for managed identities. The request that a later one was seen to send is replayed byte
  by byte, once, as that one does over a bare session; what it does with an answer is not tried.
- az is Debian's, which asks by msrestazure. Today's asks by MSAL Python. It is told of a cloud whose Azure Resource Manager is a
  stand-in with one subscription, since \`az login\` lists the subscriptions.
- .NET, Java and Go's azidentity are in no package of Debian 12. The heads of their requests are replayed by \`test/wire/sdk.test.ts\`.
`;

export function render(page: Page): string {
  return `${intro}\n${tables(page)}\n${outro}`;
}

/** Its clients and rows alone. */
export function tables({ versions, rows }: Page): string {
  const clients = [...versions].map(([name, version]) => `| ${name} | ${version} |`);
  const sections = cases.flatMap((one) => section(one, rows));
  return ['## Clients', '', '| client | version |', '|---|---|', ...clients, '', ...sections].join('\n');
}

function section({ key, title, setting, remark }: Case, rows: readonly PageRow[]): string[] {
  const own = rows.filter((row) => row.case === key);
  const lines = own.map(({ client, result, answers, seconds }) => {
    const cells = [client, result, answers.length, answers.join(' '), seconds.toFixed(1)];
    return `| ${cells.join(' | ')} |`;
  });
  const table = ['| client | result | requests | answers | seconds |', '|---|---|---|---|---|', ...lines];
  return [`## ${title}`, '', setting, '', ...table, '', ...(remark ? [remark, ''] : [])];
}

/** The page's rows, whatever stands between them. */
export function parse(text: string): Page {
  const versions = new Map<string, string>();
  const rows: PageRow[] = [];
  let title = '';
  for (const line of text.split('\n')) {
    title = /^## (.+)$/.exec(line)?.[1] ?? title;
    const [client = '', result = '', , answers = '', seconds = ''] = cellsOf(line);
    const one = cases.find((one) => one.title === title);
    if (title === 'Clients' && client) versions.set(client, result);
    if (!one || !/^\d/.test(seconds)) continue;
    const numbers = answers.split(' ').filter(Boolean).map(Number);
    rows.push({
      ...{ case: one.key, client, answers: numbers, seconds: Number(seconds) },
      result: result as Row['result'],
    });
  }
  return { versions, rows };
}

/** None for the two lines on top of a table. */
function cellsOf(line: string): string[] {
  if (!line.startsWith('| ') || line.startsWith('| client |')) return [];
  return line.slice(2, -2).split(' | ');
}

/** What of the rows the page does not tell, or tells otherwise; one line each. */
export function differences(page: Page, rows: readonly PageRow[]): string[] {
  const told = new Map(page.rows.map((row) => [`${row.case}/${row.client}`, summary(row)]));
  return rows.flatMap((row) => {
    const before = told.get(`${row.case}/${row.client}`) ?? 'nothing';
    const now = summary(row);
    return now === before ? [] : [`${row.case}, ${row.client}: ${now}; the page has ${before}`];
  });
}

const summary = ({ result, answers }: PageRow): string => `${result} (${answers.join(' ')})`;
