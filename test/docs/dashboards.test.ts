import { readFileSync } from 'node:fs';
import { loadYaml } from '@kubernetes/client-node';
import t from 'tap';
import { systemExec } from '../../lib/platform/exec.ts';
import { groupedBy, strangersIn } from './promql.ts';
import { targetLabels } from './series.ts';

const folder = new URL('../../daemonset/dashboards/', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const { groups } = loadYaml<{ groups: readonly { rules: readonly Rule[] }[] }>(read('alerts.yaml'));
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(read('pod-identity.json')) as { panels: readonly Panel[] };
const targets = panels.flatMap(({ title, targets: own = [] }) => own.map((target) => ({ title, ...target })));

t.test('the look for strangers finds each kind', async (t) => {
  t.same(strangersIn('sum by (node) (rate(podidentity_answers_total{code="token"}[5m])) > 0.5'), []);
  t.same(strangersIn('sum(podidentity_answer_total)'), ['podidentity_answer_total'], 'a series');
  t.same(strangersIn('podidentity_ready_bucket'), ['podidentity_ready_bucket'], 'a part of what has none');
  t.same(strangersIn('podidentity_answers_total{reason="token"}'), ['podidentity_answers_total{reason}']);
  t.same(strangersIn('podidentity_answers_total{code=~"token|tokem"}'), [
    'podidentity_answers_total{code="tokem"}',
  ]);
  t.same(strangersIn('sum by (nod) (podidentity_ready)'), ['nod'], 'a label that is grouped by');
  t.same(strangersIn('averag(podidentity_ready)'), ['averag'], 'a function');
});

t.test('every series, label and value that an alert asks for exists', async (t) => {
  t.ok(rules.length > 15);
  for (const { alert, expr } of rules) t.same(strangersIn(expr), [], alert);
});

t.test('every series, label and value that the dashboard asks for exists', async (t) => {
  t.ok(targets.length > 20);
  for (const { title, expr } of targets) t.same(strangersIn(expr.replaceAll('$node', '.*')), [], title);
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'each panel has an id of its own');
});

t.test('what an alert or a legend says comes from a label that its expression leaves', async (t) => {
  const left = (expr: string): readonly string[] =>
    /\b(by|vector)\b/.test(expr) ? groupedBy(expr) : targetLabels;
  for (const { alert, expr, annotations } of rules) {
    const said = Object.values(annotations).join(' ');
    const labels = [...said.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    t.same(
      labels.filter((label) => !left(expr).includes(label)),
      [],
      alert,
    );
  }
  for (const { title, expr, legendFormat } of targets) {
    const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    t.same(
      labels.filter((label) => !left(expr).includes(label)),
      [],
      title,
    );
  }
});

t.test('every alert says what, why and where its cure is, under a name of its own', async (t) => {
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, labels, annotations } of rules) {
    t.match(alert, /^PodIdentity[A-Z]/);
    t.ok(['critical', 'warning', 'info'].includes(labels.severity), alert);
    t.match(annotations, { summary: /\S/, description: /\.$/, runbook: /^docs\/[a-z-]+\.md/ }, alert);
  }
});

const timeoutMs = 60_000;
const promtool = await systemExec('promtool', ['--version'], { timeoutMs }).catch(() => undefined);
const skip = promtool ? false : 'promtool is not on PATH';

t.test('the alerts fire when they should, by Prometheus itself', { skip }, async (t) => {
  const file = new URL('alerts.promtool.yaml', import.meta.url).pathname;
  const { code, stdout, stderr } = await systemExec('promtool', ['test', 'rules', file], { timeoutMs });
  t.equal(code, 0, stdout + stderr);
});
