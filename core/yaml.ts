import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { InputError } from './errors.js';
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

/**
 * Parse YAML 1.2, which JSON is a part of.
 *
 * @param file where the text comes from, named in errors
 * @throws InputError naming file, line and column of the first mistake
 */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });

  function place(offset: number): string {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  }

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

  const [error] = document.errors;
  if (error) throw new InputError(`${place(error.pos[0])}: ${error.message}`);
  const wrong = wrongYamlNumber(document);
  if (wrong) throw new InputError(`${place(wrong.offset)}: ${wrong.problem}.`);
  return {
    file,
    value: plainValue(document, place),
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

/**
 * Aliases (`*name`) may have no anchor, or multiply a small file into an endless one, which the parser refuses to
 * expand.
 */
function plainValue(document: Document, place: (offset: number) => string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const alias = wrongAlias(document);
    throw new InputError(`${place(startOf(alias ?? null))}: ${reason}.`, { cause: error });
  }
}

/** The first alias without an anchor, or if all have one the first of all. */
function wrongAlias(document: Document): Node | undefined {
  const aliases: { readonly node: Node; readonly resolved: boolean }[] = [];
  visit(document, {
    Alias(_, node) {
      aliases.push({ node, resolved: node.resolve(document) !== undefined });
    },
  });
  return (aliases.find(({ resolved }) => !resolved) ?? aliases[0])?.node;
}
