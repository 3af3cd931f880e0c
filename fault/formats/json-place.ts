/** A place in a text, both from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset. */
export function placeOfOffset(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
  return { line, column: offset - lineStart + 1 };
}

/** Control characters do not stand in strings. */
const FIRST_PRINTABLE = 0x20;

/** Where a JSON text stops being one. */
class SyntaxOffset extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super();
    this.offset = offset;
  }
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Walks a JSON text by its grammar (RFC 8259), and calls back with the offset of each value at its path.
 * JSON.parse does not tell where a value stands; this is for messages only, where speed does not matter.
 */
function walkJson(text: string, onValue: (path: readonly PropertyKey[], offset: number) => void) {
  let offset = 0;
  const path: PropertyKey[] = [];

  function match(pattern: RegExp): string {
    pattern.lastIndex = offset;
    const [found] = pattern.exec(text) ?? [];
    if (found === undefined) throw new SyntaxOffset(offset);
    offset += found.length;
    return found;
  }

  function matchString(): string {
    const start = offset;
    const found = match(STRING);
    for (let index = 0; index < found.length; index += 1) {
      if (found.charCodeAt(index) < FIRST_PRINTABLE) throw new SyntaxOffset(start + index);
    }
    return found;
  }

  /** Takes a character if it is the next one. */
  function take(character: string): boolean {
    match(SPACE);
    if (text[offset] !== character) return false;
    offset += 1;
    return true;
  }

  function require(character: string): void {
    if (!take(character)) throw new SyntaxOffset(offset);
  }

  function members(end: string, member: (index: number) => void): void {
    if (take(end)) return;
    let index = 0;
    do {
      member(index);
      index += 1;
    } while (take(','));
    require(end);
  }

  function value(): void {
    match(SPACE);
    onValue(path, offset);
    if (take('{')) {
      members('}', () => {
        match(SPACE);
        const key: unknown = JSON.parse(matchString());
        require(':');
        path.push(String(key));
        value();
        path.pop();
      });
    } else if (take('[')) {
      members(']', (index) => {
        path.push(index);
        value();
        path.pop();
      });
    } else if (text[offset] === '"') {
      matchString();
    } else {
      match(SCALAR);
    }
  }

  value();
  match(SPACE);
  if (offset < text.length) throw new SyntaxOffset(offset);
}

/** Where the value at a path begins in a JSON text, or else the nearest value around it. */
export function placeInJson(text: string, wanted: readonly PropertyKey[]): TextPlace {
  let best = { length: -1, offset: 0 };
  walkJson(text, (path, offset) => {
    const isAround = path.length <= wanted.length && path.every((key, i) => key === wanted[i]);
    if (isAround && path.length >= best.length) best = { length: path.length, offset };
  });
  return placeOfOffset(text, best.offset);
}

/** Where a text stops being JSON; its end if it does not. Nesting may be as deep as the stack allows. */
export function placeOfSyntaxError(text: string): TextPlace {
  try {
    walkJson(text, () => undefined);
  } catch (error) {
    if (error instanceof SyntaxOffset) return placeOfOffset(text, error.offset);
    if (error instanceof RangeError) return { line: 1, column: 1 };
    throw error;
  }
  return placeOfOffset(text, text.length);
}
