/** A source of random numbers in [0, 1). */
export type Random = () => number;

/** A whole number from 0 to `limit` − 1. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One of a list. */
export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)];
}

/** What text readers trip over: brackets, signs, numbers of every size, names that objects inherit. */
const TOKENS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    "'",
    '\n',
    '\r\n',
    '\t',
    ' ',
    '#',
    '-',
    '- ',
    '? ',
    '|',
    '>',
  ],
  ...['&a ', '*a', '!!int ', '%YAML', '---\n', '...\n', '<<: ', '@', '`', '\\', '\\u0000', '\\x'],
  ...['0', '-1', '1', '1e999', '-0', '0x1', '0b1', '1_000', 'NaN', '.inf', 'Infinity', '1e-400'],
  ...['2147483648', '4294967296', '9007199254740993', '99999999999999999999', '1'.repeat(400)],
  ...['null', 'true', '~', '__proto__', 'constructor', 'toString', 'length', 'hasOwnProperty'],
  ...['\u0000', '\u001b[31m', '\ufeff', 'é', '\u2028', '😀', '�'],
].map((text) => new TextEncoder().encode(text));

/** Bytes that no UTF-8 has, and the longest numbers of protocol buffers. */
const BYTES = [
  Uint8Array.of(0xff),
  Uint8Array.of(0xc0, 0x80),
  Uint8Array.of(0xff, 0xfe),
  new Uint8Array(9).fill(0xff),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
  new Uint8Array(64),
];

/** So often a piece is repeated at most, now and then. */
const MOST_REPETITIONS = 4000;
const LONGEST = 200_000;

/** Some bytes with one to four changes; `others` lend pieces. */
export function mutateInput(
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let changed = bytes;
  for (let left = random() < 0.6 ? 1 : 2 + below(random, 3); left > 0; left -= 1)
    changed = change(changed, others, random);
  return changed.length > LONGEST ? changed.subarray(0, LONGEST) : changed;
}

function change(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const at = below(random, bytes.length + 1);
  const length = Math.min(
    bytes.length - at,
    1 + below(random, random() < 0.8 ? 8 : bytes.length + 1),
  );
  const piece = bytes.subarray(at, at + length);
  switch (below(random, 8)) {
    case 0: {
      const flipped = Uint8Array.from(bytes);
      if (at < bytes.length) flipped[at] ^= 1 << below(random, 8);
      return flipped;
    }
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 2: {
      const wanted = random() < 0.95 ? 2 : below(random, MOST_REPETITIONS);
      // A piece may itself be what was repeated before.
      const often = Math.min(wanted, Math.ceil(LONGEST / Math.max(1, piece.length)));
      return joined(
        bytes.subarray(0, at),
        ...new Array<Uint8Array>(often).fill(piece),
        bytes.subarray(at),
      );
    }
    case 3:
      return bytes.slice(0, at);
    case 4: {
      const other = oneOf(random, others);
      const from = below(random, other.length);
      return joined(
        bytes.subarray(0, at),
        other.subarray(from, from + length),
        bytes.subarray(at + length),
      );
    }
    case 5:
      return joined(bytes.subarray(0, at), oneOf(random, BYTES), bytes.subarray(at));
    default: {
      const kept = random() < 0.5 ? at : at + length;
      return joined(bytes.subarray(0, at), oneOf(random, TOKENS), bytes.subarray(kept));
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
