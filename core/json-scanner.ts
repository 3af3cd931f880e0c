/** Where and why a text is no JSON that Bitcell reads. */
export class JsonProblem extends Error {
  readonly offset: number;
  /** What is wrong there; undefined where the text breaks the grammar. */
  readonly problem: string | undefined;

  constructor(offset: number, problem?: string) {
    super(problem);
    this.offset = offset;
    this.problem = problem;
  }
}

/** Lists and objects inside one another; files of Bitcell have up to six. */
export const MOST_NESTED = 100;

/** A key of this name would change what an object inherits. */
export const FORBIDDEN_KEY = '__proto__';

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LITERALS = ['true', 'false', 'null'];

const [QUOTE, BACKSLASH, ZERO, NINE] = [...'"\\09'].map((character) => character.charCodeAt(0));
const FIRST_PRINTABLE = 0x20;

/**
 * Walks a JSON text by its grammar (RFC 8259), in time and memory in proportion to it.
 *
 * @param onValue called with the path of each value, which is valid only during the call, and its offset
 * @throws JsonProblem where it is no JSON, has a key twice or one that is forbidden, or is nested too deeply
 */
export function scanJson(
  text: string,
  onValue?: (path: readonly PropertyKey[], offset: number) => void,
): void {
  let offset = 0;
  /** The key or index of the value that is read in each open object or list. */
  const path: (string | number)[] = [];
  /** The keys so far of each open object; undefined for a list. */
  const keys: (Set<string> | undefined)[] = [];

  function skipSpace(): void {
    while (offset < text.length && ' \t\n\r'.includes(text[offset])) offset += 1;
  }

  function readString(): void {
    if (text.charCodeAt(offset) !== QUOTE) throw new JsonProblem(offset);
    offset += 1;
    for (let code = text.charCodeAt(offset); code !== QUOTE; code = text.charCodeAt(offset)) {
      if (code === BACKSLASH) {
        ESCAPE.lastIndex = offset;
        if (!ESCAPE.test(text)) throw new JsonProblem(offset);
        offset = ESCAPE.lastIndex;
      } else if (code >= FIRST_PRINTABLE) {
        offset += 1;
      } else {
        throw new JsonProblem(offset);
      }
    }
    offset += 1;
  }

  /** Takes a character if it is one of these. */
  function take(characters: string): boolean {
    if (offset >= text.length || !characters.includes(text[offset])) return false;
    offset += 1;
    return true;
  }

  function readDigits(): void {
    const start = offset;
    for (let code = text.charCodeAt(offset); code >= ZERO && code <= NINE; ) {
      offset += 1;
      code = text.charCodeAt(offset);
    }
    if (offset === start) throw new JsonProblem(offset);
  }

  function readScalar(): void {
    const literal = LITERALS.find((candidate) => text.startsWith(candidate, offset));
    if (literal !== undefined) {
      offset += literal.length;
      return;
    }
    const start = offset;
    take('-');
    if (!take('0')) {
      const first = text.charCodeAt(offset);
      if (!(first > ZERO && first <= NINE)) throw new JsonProblem(start);
      readDigits();
    }
    if (take('.')) readDigits();
    if (take('eE')) {
      take('+-');
      readDigits();
    }
  }

  function readKey(seen: Set<string>): void {
    skipSpace();
    const start = offset;
    readString();
    const key = String(JSON.parse(text.slice(start, offset)));
    if (seen.has(key))
      throw new JsonProblem(start, `the key ${shown(key)} a second time; expected it once`);
    if (key === FORBIDDEN_KEY)
      throw new JsonProblem(start, `the key ${key} is not allowed; remove it`);
    seen.add(key);
    path[path.length - 1] = key;
    skipSpace();
    if (text[offset] !== ':') throw new JsonProblem(offset);
    offset += 1;
  }

  function open(isObject: boolean): void {
    if (path.length === MOST_NESTED) {
      throw new JsonProblem(
        offset,
        `lists and objects are nested more than ${MOST_NESTED} levels deep`,
      );
    }
    offset += 1;
    path.push(isObject ? '' : 0);
    keys.push(isObject ? new Set() : undefined);
  }

  function close(): void {
    offset += 1;
    path.pop();
    keys.pop();
  }

  /** Reads a value, or the beginning of a list or object whose first value follows; returns whether one does. */
  function readValue(): boolean {
    skipSpace();
    onValue?.(path, offset);
    const character = text[offset];
    if (character === '{' || character === '[') {
      open(character === '{');
      skipSpace();
      if (text[offset] === (character === '{' ? '}' : ']')) {
        close();
        return false;
      }
      const seen = keys.at(-1);
      if (seen) readKey(seen);
      return true;
    }
    if (character === '"') readString();
    else readScalar();
    return false;
  }

  /** After a value: closes what ends there; returns whether another value follows. */
  function goOn(): boolean {
    for (;;) {
      skipSpace();
      const depth = path.length;
      if (depth === 0) return false;
      const seen = keys[depth - 1];
      const character = text[offset];
      if (character === ',') {
        offset += 1;
        if (seen) readKey(seen);
        else path[depth - 1] = Number(path[depth - 1]) + 1;
        return true;
      }
      if (character !== (seen ? '}' : ']')) throw new JsonProblem(offset);
      close();
    }
  }

  while (readValue() || goOn());
  if (offset < text.length) throw new JsonProblem(offset);
}

function shown(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 37)}...` : key);
}
