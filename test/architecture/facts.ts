import { posix } from 'node:path';
import ts from 'typescript';

/** Something that a file does, and the line where it does it. */
export interface Mention {
  readonly name: string;
  readonly line: number;
}

/** What the rules look at. */
export interface Facts {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly lines: number;
  /** What it imports, types included: files by their path from the root, packages and `node:` modules by their name. */
  readonly imports: readonly Mention[];
  /** Names that it uses as values and does not qualify: `Date.now`, `process.env.HOME`, `setTimeout`. */
  readonly uses: readonly Mention[];
}

export function factsOf(path: string, text: string): Facts {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const imports: Mention[] = [];
  const uses: Mention[] = [];
  const visit = (node: ts.Node): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push({ name: target(path, specifier), line });
    if (ts.isIdentifier(node) && isUse(node)) uses.push({ name: qualified(node), line });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { path, lines: text.trimEnd().split('\n').length, imports, uses };
}

/** `import`, `export … from`, `import()`, `require()` and `import('…')` as a type. */
function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression: called } = node;
  const loads =
    called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require');
  // What is not a plain string cannot be judged, and is told as it stands.
  return loads ? (textOf(node.arguments[0]) ?? node.arguments[0]?.getText()) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function target(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  return specifier;
}

/** A name that stands for a value from elsewhere: no type, no declaration, no key, no member of something else. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if ('name' in parent && parent.name === node) return false;
  if ('propertyName' in parent && parent.propertyName === node) return false;
  return ts.findAncestor(node, ts.isTypeNode) === undefined;
}

/** The name with the members that are taken of it; `globalThis.` says nothing and is left out. */
function qualified(node: ts.Identifier): string {
  let name = node.text;
  let at: ts.Node = node;
  while (ts.isPropertyAccessExpression(at.parent) && at.parent.expression === at) {
    at = at.parent;
    name += `.${(at as ts.PropertyAccessExpression).name.text}`;
  }
  return name.replace(/^globalThis\./, '');
}
