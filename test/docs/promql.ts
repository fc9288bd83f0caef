import { labelValues } from './known.ts';
import { seriesNamed } from './series.ts';

/** Functions, aggregations and keywords that our expressions use. */
const words = new Set([
  ...['sum', 'min', 'max', 'count', 'rate', 'increase', 'histogram_quantile', 'vector', 'time'],
  ...['by', 'on', 'and', 'or', 'unless', 'group_left'],
]);

/** Everything in an expression that no program has: series, labels, and values of labels. Empty when all is there. */
export function strangersIn(expr: string): readonly string[] {
  const selectors = [...expr.matchAll(/([a-z_][a-z0-9_]*)\s*(?:\{([^}]*)\})?/gi)];
  const bare = bareOf(expr);
  const series = [...bare.matchAll(/[a-z_][a-z0-9_]*/gi)]
    .map(([name]) => name)
    .filter((name) => !words.has(name));
  const unknown = series.filter((name) => seriesNamed(name) === undefined);
  const labels = new Set(series.flatMap((name) => seriesNamed(name)?.labels ?? []));
  const grouped = groupedBy(expr).filter((label) => !labels.has(label));
  const matched = selectors.flatMap(([, name = '', matchers = '']) => strangeMatchers(name, matchers));
  return [...unknown, ...grouped, ...matched];
}

/** The labels that an expression groups or joins by. */
export function groupedBy(expr: string): readonly string[] {
  const lists = [...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].map(([, list = '']) => list);
  return lists.flatMap((list) => list.split(',')).flatMap((label) => label.trim() || []);
}

/** Without strings, matchers, ranges, lists of labels and numbers: what is left are series, functions and keywords. */
function bareOf(expr: string): string {
  return expr
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|on|group_left)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\b\d[\w.]*/g, ' ');
}

function strangeMatchers(name: string, matchers: string): readonly string[] {
  const series = seriesNamed(name);
  if (!series) return [];
  return [...matchers.matchAll(/(\w+)\s*(=~|!~|=|!=)\s*"([^"]*)"/g)].flatMap(
    ([, label = '', , text = '']) => {
      if (!series.labels.includes(label)) return [`${name}{${label}}`];
      const known = labelValues[series.metric]?.[label];
      if (!known) return [];
      const strange = text.split('|').filter((value) => !known.includes(value));
      return strange.map((value) => `${name}{${label}="${value}"}`);
    },
  );
}
