import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  visit,
  type YAMLMap,
} from 'yaml';
import { InputError } from './errors.js';
import { excerpt, shownValue } from './excerpt.js';
import { FORBIDDEN_KEY, MOST_NESTED } from './json-scanner.js';
import { wrongYamlNumber } from './yaml-numbers.js';

/** The content of a YAML file, and where in the file each part of it stands. */
export interface YamlFile {
  readonly file: string;
  /** Plain objects, lists, texts, numbers, truth values and null. */
  readonly value: unknown;
  /**
   * `file:line:column` of the value at a path of keys and indices; of the nearest part around it where the
   * file has no such value.
   */
  placeOf(path: readonly PropertyKey[]): string;
  /** `file:line:column` of the key that a path ends with. */
  placeOfKey(path: readonly PropertyKey[]): string;
}

/** Characters of a configuration: 200,000 numbers take as many. The parser needs up to 300 bytes for each. */
const MOST_CHARACTERS = 2_000_000;

/** More are no shorthand, and each takes a pass over the file. */
const MOST_ALIASES = 100;

/**
 * Parse YAML 1.2, which JSON is a part of: at most two million characters, 100 lists and mappings inside one another
 * and 100 aliases; each key once, none of them `__proto__`.
 *
 * @param file where the text comes from, named in errors
 * @throws InputError naming file, line and column of the first mistake
 */
export function parseYaml(text: string, file: string): YamlFile {
  if (text.length > MOST_CHARACTERS) {
    throw new InputError(
      `${file}: ${text.length} characters, expected a configuration of at most ${MOST_CHARACTERS}.`,
    );
  }
  const lines = new LineCounter();

  function place(offset: number): string {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }

  function fail(offset: number, problem: string): never {
    throw new InputError(`${place(offset)}: ${problem}.`);
  }

  const document = composeDocument(text, lines, fail);

  function stepsTo(path: readonly PropertyKey[]): Step[] {
    const steps: Step[] = [];
    let node: unknown = document.contents;
    for (const key of path) {
      const step = stepInto(isAlias(node) ? node.resolve(document) : node, key);
      if (step === undefined) break;
      steps.push(step);
      node = step.value;
    }
    return steps;
  }

  requireSound(document, fail);
  const wrong = wrongYamlNumber(document);
  if (wrong) fail(wrong.offset, wrong.problem);
  return {
    file,
    value: plainValue(document, fail),
    placeOf(path) {
      const step = stepsTo(path).at(-1);
      return place(startOf(step?.value ?? step?.key ?? document.contents));
    },
    placeOfKey(path) {
      const step = stepsTo(path).at(-1);
      return place(startOf(step?.key ?? document.contents));
    },
  };
}

/** Ends the reading with what is wrong at an offset: the end of a sentence without its full stop. */
type Fail = (offset: number, problem: string) => never;

/** The only document of a text. */
function composeDocument(text: string, lines: LineCounter, fail: Fail): Document.Parsed {
  // The composer compares each key with all keys before it; `requireSound` takes a set.
  const composer = new Composer({ lineCounter: lines, uniqueKeys: false });
  const [document, second] = composer.compose(tokensOf(text, lines, fail), true, text.length);
  const [error] = document.errors;
  if (error) fail(error.pos[0], error.message.replace(/\.$/, ''));
  if (second) fail(second.range[0], 'a second document begins; expected one');
  return document;
}

/** The composer calls itself for what lies inside, so it must not see what is nested too deeply. */
function* tokensOf(text: string, lines: LineCounter, fail: Fail): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MOST_NESTED) {
      fail(parser.offset, `more than ${MOST_NESTED} lists and mappings inside one another`);
    }
  }
  yield* parser.end();
}

/** Checks keys and aliases, which the parser leaves alone. */
function requireSound(document: Document.Parsed, fail: Fail): void {
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, (_, node) => {
    if (isAlias(node)) {
      aliases += 1;
      const known = anchors.has(node.source);
      if (!known) fail(startOf(node), `*${excerpt(node.source)} has no anchor before it`);
      if (aliases > MOST_ALIASES) fail(startOf(node), `more than ${MOST_ALIASES} aliases`);
    } else if (isNode(node)) {
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (isMap(node)) requireSoundKeys(node, fail);
    }
  });
}

function requireSoundKeys({ items }: YAMLMap, fail: Fail): void {
  const seen = new Set<string>();
  for (const { key } of items) {
    const start = startOf(isNode(key) ? key : null);
    if (!isScalar<unknown>(key)) fail(start, 'a key must be a text');
    const name = String(key.value);
    if (seen.has(name)) fail(start, `the key ${shownValue(name)} a second time; expected it once`);
    if (name === FORBIDDEN_KEY) fail(start, `the key ${name} is not allowed; remove it`);
    seen.add(name);
  }
}

/** An item of a mapping or a list; the items of lists have no keys of their own. */
interface Step {
  readonly key: Node | null;
  readonly value: Node | null;
}

function stepInto(node: unknown, key: PropertyKey): Step | undefined {
  if (isMap<Node, Node | null>(node)) {
    const item = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
    return item && { key: item.key, value: item.value };
  }
  if (isSeq<Node>(node) && typeof key === 'number' && key < node.items.length) {
    return { key: node.items[key], value: node.items[key] };
  }
  return undefined;
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

/** A few aliases (`*name`) of one another can multiply a small file into an endless one, which is not expanded. */
function plainValue(document: Document.Parsed, fail: Fail): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    let first: Node | null = null;
    visit(document, {
      Alias(_, node) {
        first = node;
        return visit.BREAK;
      },
    });
    fail(
      startOf(first),
      'aliases of aliases that multiply the file; expected the values themselves',
    );
  }
}
