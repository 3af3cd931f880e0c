/** A systematic binary linear code: bit i < dataBits of a codeword is data bit i, bit dataBits + j is check bit j. */
export interface LinearCode {
  /** With its length and its data bits: `secded-72-64`. */
  readonly name: string;
  /** At most 128. */
  readonly dataBits: number;
  /** At most 16. */
  readonly checkBits: number;
  /** Column of the parity-check matrix H of each bit of a codeword: the syndrome of an error there alone. */
  readonly columns: Uint32Array;
  /**
   * What to do about each syndrome: 0 nothing (syndrome 0 alone), `DETECTED`, or the bits to invert, a and perhaps b,
   * as (a + 1) | (b + 1) << 16, whose upper half is 0 where there is no b.
   */
  readonly corrections: Int32Array;
  /** Check bits of one byte of data, the others being 0: those of byte i with value v at 256 · i + v. */
  readonly byteChecks: Uint16Array;
}

/** The correction of a syndrome that no error that the code corrects has. */
export const DETECTED = -1;

/** A syndrome is an index of `corrections`, and half an entry there. */
const MOST_CHECK_BITS = 16;

const MOST_DATA_BITS = 128;

/** Entries of `byteChecks` for a lane of 32 bits. */
const LANE_ENTRIES = 4 * 256;

/**
 * The code with these columns of H for its data bits; check bit j has 1 << j.
 *
 * @param corrects errors of up to so many bits are corrected, whatever bits they strike; columns must tell them apart
 */
export function linearCode(
  family: string,
  dataColumns: readonly number[],
  checkBits: number,
  corrects: 0 | 1 | 2,
): LinearCode {
  const dataBits = dataColumns.length;
  const name = `${family}-${dataBits + checkBits}-${dataBits}`;
  if (checkBits > MOST_CHECK_BITS) {
    throw new Error(`${name}: ${checkBits} check bits are more than ${MOST_CHECK_BITS}`);
  }
  if (dataBits > MOST_DATA_BITS) {
    throw new Error(`${name}: ${dataBits} data bits are more than ${MOST_DATA_BITS}`);
  }
  const checkColumns = Array.from({ length: checkBits }, (_, check) => 1 << check);
  const columns = Uint32Array.from([...dataColumns, ...checkColumns]);
  return {
    name,
    dataBits,
    checkBits,
    columns,
    corrections: correctionsOf(columns, checkBits, corrects),
    byteChecks: byteChecksOf(dataColumns),
  };
}

/**
 * A code shortened to its first data bits: the others are 0 and not stored. What only errors among them has is detected.
 *
 * @param corrects as it was given for the code
 */
export function shortenedCode(
  family: string,
  { columns, dataBits, checkBits }: LinearCode,
  bits: number,
  corrects: 0 | 1 | 2,
): LinearCode {
  if (bits < 1 || bits > dataBits) {
    throw new Error(`${family}: a code of ${dataBits} data bits has no shortened one of ${bits}`);
  }
  return linearCode(family, [...columns.subarray(0, bits)], checkBits, corrects);
}

/** `LinearCode.corrections` of a code with these columns, which need not be in the order of a systematic code. */
export function correctionsOf(
  columns: ArrayLike<number>,
  checkBits: number,
  corrects: 0 | 1 | 2,
): Int32Array {
  const corrections = new Int32Array(2 ** checkBits).fill(DETECTED);
  corrections[0] = 0;
  for (let a = 0; a < columns.length && corrects > 0; a++) {
    corrections[columns[a]] = a + 1;
    for (let b = a + 1; b < columns.length && corrects > 1; b++) {
      corrections[columns[a] ^ columns[b]] = (a + 1) | ((b + 1) << 16);
    }
  }
  return corrections;
}

/** `LinearCode.byteChecks` of bits with these columns, for whole lanes; bits beyond them count nothing. */
export function byteChecksOf(columns: ArrayLike<number>): Uint16Array {
  const lanes = Math.ceil(columns.length / 32);
  const table = new Uint16Array(lanes * LANE_ENTRIES);
  for (let entry = 0; entry < table.length; entry++) {
    const value = entry & 255;
    if (value === 0) continue;
    // One bit more than an entry before it.
    const lowest = 31 - Math.clz32(value & -value);
    table[entry] = table[entry & ~(value & -value)] ^ (columns[(entry >>> 8) * 8 + lowest] ?? 0);
  }
  return table;
}

/**
 * Check bits of the bits of one lane.
 *
 * @param byteChecks a table of `byteChecksOf`
 * @param first index in it of the lane's first entry: 1024 for each lane before
 */
export function laneChecks(byteChecks: Uint16Array, first: number, lane: number): number {
  return (
    byteChecks[first + (lane & 255)] ^
    byteChecks[first + 256 + ((lane >>> 8) & 255)] ^
    byteChecks[first + 512 + ((lane >>> 16) & 255)] ^
    byteChecks[first + 768 + (lane >>> 24)]
  );
}

/**
 * Check bits of a data word.
 *
 * @param data lanes of 32 bits, the least significant first
 * @param at lane of data bit 0
 * @param shift bit of that lane at which data bit 0 lies; other than 0 only where the data end in the same lane, so
 * that a lane holds several words of 8 or 16 bits
 */
export function checkBitsOf(code: LinearCode, data: Uint32Array, at: number, shift = 0): number {
  const { byteChecks } = code;
  // Not a loop, which takes a third longer.
  let checks = laneChecks(byteChecks, 0, data[at] >>> shift);
  if (byteChecks.length > LANE_ENTRIES) {
    checks ^= laneChecks(byteChecks, LANE_ENTRIES, data[at + 1]);
  }
  if (byteChecks.length > 2 * LANE_ENTRIES) {
    checks ^= laneChecks(byteChecks, 2 * LANE_ENTRIES, data[at + 2]);
  }
  if (byteChecks.length > 3 * LANE_ENTRIES) {
    checks ^= laneChecks(byteChecks, 3 * LANE_ENTRIES, data[at + 3]);
  }
  return checks;
}

/**
 * Decode a data word in place: what the correction says is inverted.
 *
 * @param checks its check bits, as read
 * @returns the entry of `code.corrections`: 0 where the word is a codeword, `DETECTED` where it stays as it was read
 */
export function decodeWord(
  code: LinearCode,
  data: Uint32Array,
  at: number,
  checks: number,
  shift = 0,
): number {
  const correction = code.corrections[checkBitsOf(code, data, at, shift) ^ checks];
  invertDataBit(code.dataBits, data, at, (correction & 0xffff) - 1, shift);
  invertDataBit(code.dataBits, data, at, (correction >>> 16) - 1, shift);
  return correction;
}

/** Invert a bit of a codeword; nothing for a check bit, for −1, and for what `DETECTED` has in its halves. */
function invertDataBit(
  dataBits: number,
  data: Uint32Array,
  at: number,
  bit: number,
  shift: number,
): void {
  // All ones for a data bit, else 0: no branch, as errors are where nobody can foresee them.
  const isData = ~(bit >> 31) & ((bit - dataBits) >> 31);
  data[at + ((bit >>> 5) & isData)] ^= (1 << ((bit & 31) + shift)) & isData;
}
