import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const lib = new URL('../../lib/', import.meta.url);
/** Programs of their own, whose words are not the agent's or MIC's. */
const others = /^(cli|demo|identityvalidator)\//;

const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !others.test(file),
);
const sources = files.map((file) => readFileSync(new URL(file, lib), 'utf8'));

/** Every text in the code of the agent and of MIC, literals whole and templates in their pieces. */
export const literals: readonly string[] = sources.flatMap((source) => {
  const found: string[] = [];
  visit(source, (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      found.push(node.text);
  });
  return found;
});

/** The messages of all log lines of level warn and error. */
export const loudMessages: readonly string[] = sources.flatMap((source) => {
  const found: string[] = [];
  visit(source, (node) => {
    if (!ts.isCallExpression(node) || !/\blog\.(warn|error)$/.test(node.expression.getText())) return;
    const message = node.arguments.at(-1);
    if (message) found.push(...textsIn(message));
  });
  return found;
});

function textsIn(node: ts.Expression): readonly string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...textsIn(node.whenTrue), ...textsIn(node.whenFalse)];
  throw new Error(`a log message that is no plain text: ${node.getText()}`);
}

function visit(source: string, see: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    see(node);
    ts.forEachChild(node, walk);
  };
  walk(ts.createSourceFile('a.ts', source, ts.ScriptTarget.Latest, true));
}
