import ts from 'typescript';
import { packageRoot } from '../../core/index.js';
import type { Entry } from './entries.js';

/** The published declarations of all entries, as TypeScript's own checker sees them. */
export interface Surface {
  /** One text for an entry: each name that it exports with its declaration, in alphabetical order. */
  pageOf(entry: Entry): string;
  /** Names of declarations of ours that public declarations speak of, but no entry exports. */
  hidden(): string[];
}

export function readSurface(all: readonly Entry[]): Surface {
  const program = ts.createProgram(
    all.map(({ declarations }) => declarations),
    { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  );
  const checker = program.getTypeChecker();
  const exportsOf = ({ declarations }: Entry): ts.Symbol[] => {
    const file = program.getSourceFile(declarations);
    const symbol = file && checker.getSymbolAtLocation(file);
    if (!symbol) throw new Error(`${declarations} exports nothing: build first`);
    return checker.getExportsOfModule(symbol).map((found) => original(checker, found));
  };
  return {
    pageOf(entry) {
      const names = exportsOf(entry).map((symbol) => ({ name: symbol.name, symbol }));
      const sorted = names.sort((a, b) => (a.name < b.name ? -1 : 1));
      const texts = sorted.map(({ name, symbol }) => `## ${name}\n\n${codeOf(checker, symbol)}`);
      return [
        `# ${entry.name === 'bitcell' ? 'bitcell' : `bitcell/${entry.name.replaceAll('-', '/')}`}`,
        `${sorted.length} names. Printed by a test from the published declarations: \`npx vitest run test/api -u\` after \`npm run build\`.`,
        ...texts,
        '',
      ].join('\n\n');
    },
    hidden() {
      const exported = new Set(all.flatMap(exportsOf));
      const found = new Set<string>();
      for (const symbol of exported) {
        for (const named of (symbol.declarations ?? []).flatMap((one) => namedIn(checker, one))) {
          if (isOurs(named) && !exported.has(named)) found.add(named.name);
        }
      }
      return [...found].sort();
    },
  };
}

function original(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

const printer = ts.createPrinter({ removeComments: true });

/** The declarations of a name as a block of code, without what says that it is exported. */
function codeOf(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const texts = (symbol.declarations ?? []).map((declaration) => {
    if (ts.isTypeAliasDeclaration(declaration) && hides(declaration)) {
      return `type ${symbol.name} = ${writtenOut(checker, declaration)};`;
    }
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
    return text.replace(/^export (default )?(declare )?/, '');
  });
  return ['```ts', ...texts, '```'].join('\n');
}

/** Whether a type is made of a value's, which another file may change. */
function hides(node: ts.Node): boolean {
  return ts.isTypeQueryNode(node) || ts.forEachChild(node, hides) === true;
}

function writtenOut(checker: ts.TypeChecker, { type, name }: ts.TypeAliasDeclaration): string {
  const { NoTruncation, InTypeAlias, MultilineObjectLiterals } = ts.NodeBuilderFlags;
  const flags = NoTruncation | InTypeAlias | MultilineObjectLiterals;
  const node = checker.typeToTypeNode(checker.getTypeAtLocation(type), name, flags);
  if (!node) throw new Error(`${name.text} has no type that can be written`);
  return printer.printNode(ts.EmitHint.Unspecified, node, name.getSourceFile());
}

/** The symbols that types inside a declaration name. */
function namedIn(checker: ts.TypeChecker, node: ts.Node): ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const add = (name: ts.Node) => {
    const symbol = checker.getSymbolAtLocation(name);
    if (symbol) found.push(original(checker, symbol));
  };
  const visit = (inner: ts.Node) => {
    if (ts.isTypeReferenceNode(inner)) add(inner.typeName);
    if (ts.isExpressionWithTypeArguments(inner)) add(inner.expression);
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return found;
}

/** Whether a symbol is declared at the top of a file of this package, so that an entry could export it. */
function isOurs(symbol: ts.Symbol): boolean {
  const dist = `${packageRoot()}/dist/`.replaceAll('\\', '/');
  return (symbol.declarations ?? []).some((declaration) => {
    const { parent } = ts.isVariableDeclaration(declaration)
      ? declaration.parent.parent
      : declaration;
    return ts.isSourceFile(parent) && declaration.getSourceFile().fileName.startsWith(dist);
  });
}
