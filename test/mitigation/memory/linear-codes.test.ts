import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  checkBitsOf,
  DETECTED,
  decodeWord,
  gatesOf,
  type LinearCode,
  parityCode,
} from '../../../mitigation/index.js';
import {
  BCH_CODES,
  bigOf,
  codeNamed,
  decoderWord,
  fromHex,
  lanesOf,
  PARITY_CODES,
  readCases,
  SECDED_CODES,
} from './cases.js';

const ALL = [...SECDED_CODES, ...BCH_CODES, ...PARITY_CODES];
const CORRECTS = new Map([
  ...SECDED_CODES.map((code) => [code, 1] as const),
  ...BCH_CODES.map((code) => [code, 2] as const),
  ...PARITY_CODES.map((code) => [code, 0] as const),
]);

/** Lanes before the data, which are not theirs. */
const BEFORE = 1;

interface Read {
  readonly correction: number;
  readonly data: bigint;
  readonly checks: number;
}

/** A data word written, struck by an error and decoded, at one of the places that it may have in memory. */
function readBack(code: LinearCode, data: bigint, error: bigint, shift = 0): Read {
  const { dataBits, checkBits } = code;
  const around = shift > 0 || dataBits < 32 ? 0xa5a5a5a5n : 0n;
  const room = ((1n << BigInt(dataBits)) - 1n) << BigInt(shift);
  const lanes = Math.ceil(dataBits / 32);
  const memory = new Uint32Array(lanes + 2 * BEFORE).fill(0x5a5a5a5a);
  const place = (value: bigint) =>
    memory.set(lanesOf((around & ~room) | (value << BigInt(shift)), 32 * lanes), BEFORE);
  place(data);
  const checks = checkBitsOf(code, memory, BEFORE, shift);
  const struck = data ^ (error & (room >> BigInt(shift)));
  place(struck);
  const readChecks = checks ^ Number(error >> BigInt(dataBits));
  expect(checks >>> checkBits).toBe(0);
  const correction = decodeWord(code, memory, BEFORE, readChecks, shift);
  const read = bigOf(memory.subarray(BEFORE, BEFORE + lanes));
  expect(read & ~room).toBe(around & ~room);
  expect([memory[0], memory[lanes + BEFORE]]).toEqual([0x5a5a5a5a, 0x5a5a5a5a]);
  return { correction, data: (read & room) >> BigInt(shift), checks };
}

function shiftsOf({ dataBits }: LinearCode): number[] {
  if (dataBits >= 32) return [0];
  return Array.from({ length: 32 / dataBits }, (_, place) => place * dataBits);
}

describe('known answers', () => {
  const cases = readCases('codes');
  const names = [...new Set(cases.map(({ code }) => code))];

  test('are all there', () => {
    expect(cases).toHaveLength(403);
    expect(new Set(names)).toEqual(new Set(ALL.map(({ name }) => name)));
  });

  test.each(names)('of %s', (name) => {
    const code = codeNamed(name);
    for (const row of cases.filter((one) => one.code === name)) {
      expect([code.columns.length, code.dataBits]).toEqual([Number(row.n), Number(row.k)]);
      const data = fromHex(row.data);
      for (const shift of shiftsOf(code)) {
        const read = readBack(code, data, fromHex(row.error), shift);
        const decoder = decoderWord(read.correction);
        const isWrong = decoder !== 'detected' && read.data !== data;
        expect({ ...read, decoder, status: isWrong ? 'miscorrected' : decoder }).toEqual({
          correction: read.correction,
          data: fromHex(row.decoded),
          checks: Number(fromHex(row.check)),
          decoder: row.decoder,
          status: row.status,
        });
      }
    }
  });
});

/** By syndrome, how many sets of `size` bits have it. */
function syndromeCounts({ columns, checkBits }: LinearCode, size: 2 | 3): Float64Array {
  const counts = new Float64Array(2 ** checkBits);
  for (let a = 0; a < columns.length; a++) {
    for (let b = a + 1; b < columns.length; b++) {
      const pair = columns[a] ^ columns[b];
      if (size === 2) counts[pair] += 1;
      else for (let c = b + 1; c < columns.length; c++) counts[pair ^ columns[c]] += 1;
    }
  }
  return counts;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

describe('counts over all errors', () => {
  test.each`
    name              | ones    | weight4  | weight5 | triples     | quadruples
    ${'secded-72-64'} | ${216}  | ${8396}  | ${0}    | ${'56.31'}  | ${'0.816'}
    ${'secded-39-32'} | ${103}  | ${1366}  | ${0}    | ${'59.79'}  | ${'1.661'}
    ${'secded-22-16'} | ${54}   | ${250}   | ${0}    | ${'64.94'}  | ${'3.418'}
    ${'secded-64-57'} | ${224}  | ${10416} | ${0}    | ${'100.00'} | ${'1.639'}
    ${'bch-18-8'}     | ${58}   | ${0}     | ${10}   | ${'12.25'}  | ${'0.000'}
    ${'bch-26-16'}    | ${104}  | ${0}     | ${72}   | ${'27.69'}  | ${'0.000'}
    ${'bch-44-32'}    | ${229}  | ${0}     | ${252}  | ${'19.03'}  | ${'0.000'}
    ${'bch-78-64'}    | ${472}  | ${0}     | ${1345} | ${'17.68'}  | ${'0.000'}
    ${'bch-144-128'}  | ${1052} | ${0}     | ${7819} | ${'16.04'}  | ${'0.000'}
  `('of $name', ({ name, ones, weight4, weight5, triples, quadruples }) => {
    const code = codeNamed(name);
    const n = code.columns.length;
    const pairs = syndromeCounts(code, 2);
    const threes = syndromeCounts(code, 3);
    const onesInH = code.columns.reduce((total, column) => total + bitCount(column), 0);
    // No error of fewer than four bits is a codeword, so two sets of bits with one syndrome that make four or five
    // have no bit in common, and each codeword is found once for each way to part it: three and ten.
    expect([pairs[0], threes[0]]).toEqual([0, 0]);
    const four = sum(pairs.map((count) => (count * (count - 1)) / 2)) / 3;
    const five = sum(threes.map((count, syndrome) => count * pairs[syndrome])) / 10;
    const miscorrected = sum(
      threes.map((count, syndrome) => (code.corrections[syndrome] > 0 ? count : 0)),
    );
    const choose4 = (n * (n - 1) * (n - 2) * (n - 3)) / 24;
    expect({
      ones: onesInH,
      weight4: four,
      weight5: five,
      triples: ((100 * miscorrected) / sum(threes)).toFixed(2),
      quadruples: ((100 * four) / choose4).toFixed(3),
    }).toEqual({ ones, weight4, weight5, triples, quadruples });
  });
});

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest &= rest - 1) count += 1;
  return count;
}

/** A code, a data word, and bits of the codeword in random order. */
const struck = (codes: readonly LinearCode[]) =>
  fc.constantFrom(...codes).chain((code) => {
    const bits = Array.from(code.columns.keys());
    return fc.record({
      code: fc.constant(code),
      data: fc.bigInt({ min: 0n, max: (1n << BigInt(code.dataBits)) - 1n }),
      bits: fc.shuffledSubarray(bits, { minLength: 0, maxLength: 6 }),
      shift: fc.constantFrom(...shiftsOf(code)),
    });
  });

function errorOf(bits: readonly number[]): bigint {
  return bits.reduce((error, bit) => error | (1n << BigInt(bit)), 0n);
}

describe('a linear code', () => {
  property.prop([struck(ALL)])(
    'has the check bits and the syndromes of its columns',
    ({ code, data, bits, shift }) => {
      const { checks } = readBack(code, data, 0n, shift);
      let expected = 0;
      for (let bit = 0; bit < code.dataBits; bit++) {
        if ((data >> BigInt(bit)) & 1n) expected ^= code.columns[bit];
      }
      expect(checks).toBe(expected);
      const syndrome = bits.reduce((value, bit) => value ^ code.columns[bit], 0);
      expect(readBack(code, data, errorOf(bits), shift).correction).toBe(
        code.corrections[syndrome],
      );
    },
  );

  property.prop([struck(ALL)])(
    'gives back what was written, with as many errors as it corrects',
    ({ code, data, bits, shift }) => {
      const error = errorOf(bits.slice(0, CORRECTS.get(code)));
      const read = readBack(code, data, error, shift);
      expect(read.data).toBe(data);
      expect(decoderWord(read.correction)).toBe(error === 0n ? 'ok' : 'corrected');
    },
  );

  test.each(ALL)('$name: corrects all such errors, and knows no others', (code) => {
    const { columns, corrections, checkBits } = code;
    const corrects = CORRECTS.get(code) ?? 0;
    const expected = new Map([[0, 0]]);
    for (let a = 0; a < columns.length && corrects > 0; a++) {
      expected.set(columns[a], a + 1);
      for (let b = a + 1; b < columns.length && corrects > 1; b++) {
        expected.set(columns[a] ^ columns[b], a + 1 + 65536 * (b + 1));
      }
    }
    const n = columns.length;
    expect(expected.size).toBe([1, 1 + n, 1 + n + (n * (n - 1)) / 2][corrects]);
    expect(corrections).toHaveLength(2 ** checkBits);
    for (const [syndrome, correction] of corrections.entries()) {
      if (correction !== (expected.get(syndrome) ?? DETECTED)) expect.unreachable(`${syndrome}`);
    }
  });
});

describe('a Hsiao code', () => {
  test.each(SECDED_CODES)('$name has different columns of odd weight', ({ columns }) => {
    expect(new Set(columns).size).toBe(columns.length);
    for (const column of columns) expect(bitCount(column) % 2).toBe(1);
  });

  property.prop([struck(SECDED_CODES).filter(({ bits }) => bits.length > 1)])(
    'detects two errors, and leaves the word as read',
    ({ code, data, bits, shift }) => {
      const error = errorOf(bits.slice(0, 2));
      const read = readBack(code, data, error, shift);
      expect(read.correction).toBe(DETECTED);
      expect(read.data).toBe(data ^ (error & ((1n << BigInt(code.dataBits)) - 1n)));
    },
  );
});

/** Primitive polynomials, bit i the coefficient of x^i, by the degree of the generator of a code that corrects two. */
const FIELDS: Readonly<Record<number, number>> = { 10: 0o45, 12: 0o103, 14: 0o211, 16: 0o435 };

describe('a BCH code', () => {
  test.each(BCH_CODES)('$name: α and α³ are roots of every codeword', (code) => {
    const { dataBits, checkBits, columns } = code;
    const field = FIELDS[checkBits];
    const order = 2 ** (checkBits / 2) - 1;
    const powers: number[] = [1];
    for (let exponent = 1; exponent < order; exponent++) {
      const next = powers[exponent - 1] << 1;
      powers.push(next > order ? next ^ field : next);
    }
    expect(new Set(powers).size).toBe(order);
    expect(columns.length).toBeLessThanOrEqual(order);
    for (const root of [1, 3]) {
      const at = (exponent: number) => powers[(root * exponent) % order];
      for (let bit = 0; bit < dataBits; bit++) {
        let value = at(checkBits + bit);
        for (let check = 0; check < checkBits; check++) {
          if ((columns[bit] >>> check) & 1) value ^= at(check);
        }
        expect(value).toBe(0);
      }
    }
  });

  property.prop([struck(BCH_CODES).filter(({ bits }) => bits.length > 2)])(
    'never takes three or four errors for none',
    ({ code, data, bits, shift }) => {
      const read = readBack(code, data, errorOf(bits.slice(0, 4)), shift);
      expect(read.correction).not.toBe(0);
    },
  );
});

const parities = fc
  .record({
    dataBits: fc.constantFrom(8, 16, 32, 64, 128),
    bits: fc.integer({ min: 1, max: 16 }),
    interleaved: fc.boolean(),
  })
  .filter(({ dataBits, bits }) => bits <= dataBits);

describe('parity', () => {
  property.prop([parities])(
    'has each data bit in one group, groups of equal size, in blocks or interleaved',
    ({ dataBits, bits, interleaved }) => {
      const { columns } = parityCode(dataBits, bits, interleaved);
      const groups = Array.from(columns.subarray(0, dataBits), (column) => Math.log2(column));
      const sizes = Array.from(
        { length: bits },
        (_, g) => groups.filter((one) => one === g).length,
      );
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      const neighbours = groups.slice(1).map((group, bit) => group - groups[bit]);
      const steps = interleaved && bits > 1 ? [1, 1 - bits] : [0, 1];
      expect(neighbours.filter((step) => !steps.includes(step))).toEqual([]);
    },
  );

  property.prop([struck(PARITY_CODES)])(
    'detects an odd number of errors in a group, and no others',
    ({ code, data, bits, shift }) => {
      const odd = new Set<number>();
      for (const bit of bits) {
        const group = code.columns[bit];
        if (!odd.delete(group)) odd.add(group);
      }
      const read = readBack(code, data, errorOf(bits), shift);
      expect(read.correction).toBe(odd.size > 0 ? DETECTED : 0);
    },
  );

  test.each([
    [8, 0, '0 parity bits of 8 data bits'],
    [8, 9, '9 parity bits of 8 data bits'],
    [8, 1.5, '1.5 parity bits of 8 data bits'],
    [32, 17, '17 check bits are more than 16'],
    [256, 1, '256 data bits are more than 128'],
  ])('of %d data bits refuses %d parity bits', (dataBits, bits, message) => {
    expect(() => parityCode(dataBits, bits)).toThrow(message);
  });
});

describe('gates', () => {
  const prices = readCases('prices');

  test('are known for seventeen codes', () => {
    expect(prices).toHaveLength(17);
  });

  test.each(prices)('of $code are the known ones', (row) => {
    const code = codeNamed(row.code);
    expect([code.columns.length, code.dataBits]).toEqual([Number(row.n), Number(row.k)]);
    expect((100 * code.checkBits) / code.dataBits).toBeCloseTo(Number(row.cells_percent), 1);
    expect(gatesOf(code)).toEqual({
      encoder: Number(row.encoder_xor2),
      syndrome: Number(row.syndrome_xor2),
      corrector: Number(row.corrector_xor2),
      levels: Number(row.syndrome_levels),
    });
  });
});
