import type { Stage } from './stage.ts';

/** What stands, without what differs from one agent to the next: its name and which of the two ports it has. */
export async function standing(stage: Stage): Promise<string> {
  const rules = await stage.rules();
  const routes = await stage.lab.onNode(['ip', '-4', 'rule', 'show']);
  return [rules, routes.stdout.trim()]
    .join('\n')
    .replaceAll(/pod-identity:[0-9a-f]+/g, 'pod-identity:X')
    .replaceAll(/(--to-destination \S+):25(79|80)\b/g, '$1:PORT');
}

/** Who put rules in front of ours gives up: takes out what stands there. */
export async function calm({ lab, backend }: Stage): Promise<void> {
  for (const [table, hook, ours] of [
    ['nat', 'PREROUTING', 'aad-metadata'],
    ['mangle', 'FORWARD', 'aad-metadata-guard'],
  ] as const) {
    const program = `iptables-${backend}`;
    const { stdout } = await lab.onNode([program, '-w', '5', '-t', table, '-S', hook]);
    const rules = stdout.split('\n').filter((line) => line.startsWith(`-A ${hook} `));
    const first = rules.indexOf(`-A ${hook} -j ${ours}`);
    for (const rule of first === -1 ? [] : rules.slice(0, first)) {
      const text = `*${table}\n${rule.replace('-A ', '-D ')}\nCOMMIT\n`;
      await lab.onNode([`${program}-restore`, '--noflush', '-w', '5'], { stdin: text });
    }
  }
}
