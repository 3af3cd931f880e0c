import fc from 'fast-check';
import { InputError } from '../../core/index.js';
import {
  type CellGeometry,
  cellAt,
  decodeFaultMap,
  FAULT_KINDS,
  type FaultFileFormat,
  type FaultMap,
  type ReadMapOptions,
} from '../../fault/index.js';
import { cellGeometries, faultMaps } from '../../testing/index.js';
import {
  type NaiveFault,
  naiveBitmap,
  naiveDump,
  naiveLog,
  naiveMatrix,
  naiveMemory,
  naiveTable,
} from './naive-readers.js';

const encoder = new TextEncoder();

export function decode(text: string | Uint8Array, options: ReadMapOptions) {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  return decodeFaultMap([{ file: 'file', bytes }], options);
}

export function faultsOf({ geometry, cells, kinds }: FaultMap): NaiveFault[] {
  return Array.from(cells, (cell, fault): NaiveFault => {
    const { bank, row, column } = cellAt(geometry, cell);
    return [bank, row, column, FAULT_KINDS[kinds[fault]]];
  });
}

/** A file of one format, as some program writes it, and how it is read. */
export interface MapSample {
  readonly format: FaultFileFormat;
  readonly text: string;
  readonly options: ReadMapOptions & { readonly geometry: CellGeometry };
  readonly naive: (text: string, options: MapSample['options']) => NaiveFault[];
}

/** Rows of a map, a value a cell. */
function rowsOf({ geometry, cells }: FaultMap): boolean[][] {
  const faulty = new Set(cells);
  return Array.from({ length: geometry.banks * geometry.rows }, (_, row) =>
    Array.from({ length: geometry.columns }, (_, column) =>
      faulty.has(row * geometry.columns + column),
    ),
  );
}

/** The words of a map by their addresses, bits that are faulty being 1. */
function wordsOf({ geometry, cells }: FaultMap, mux: number): bigint[] {
  const { banks, rows, columns } = geometry;
  const words = new Array<bigint>(banks * rows * mux).fill(0n);
  for (const cell of cells) {
    const column = cell % columns;
    const address = Math.floor(cell / columns) * mux + (column % mux);
    words[address] |= 1n << BigInt(Math.floor(column / mux));
  }
  return words;
}

const wide = cellGeometries().filter(({ columns }) => columns > 4);
const ends = fc.constantFrom('\n', '\r\n');
const flips = (geometries: fc.Arbitrary<CellGeometry>) => faultMaps(geometries, ['flip']);

const tables: fc.Arbitrary<MapSample> = fc
  .record({
    map: faultMaps(wide),
    separator: fc.constantFrom(',', ';', '\t', ' ', ', '),
    end: ends,
    isQuoted: fc.boolean(),
    base: fc.constantFrom(undefined, 0, 1),
    order: fc.shuffledSubarray(['bank', 'row', 'column', 'kind'], { minLength: 4 }),
    number: fc.constantFrom(
      (value: number) => `${value}`,
      (value: number) => `0x${value.toString(16)}`,
    ),
  })
  .map(({ map, separator, end, isQuoted, base, order, number }) => {
    const quoted = (text: string) => (isQuoted ? `"${text}"` : text);
    const lines = faultsOf(map).map(([bank, row, column, kind]) => {
      const values = { bank, row, column };
      return order.map((name) =>
        name === 'kind' ? quoted(kind) : number(values[name as keyof typeof values] + (base ?? 0)),
      );
    });
    const text = [order.map(quoted), ...lines]
      .map((line) => `${line.join(separator)}${end}`)
      .join('');
    const options = { geometry: map.geometry, indexBase: base };
    return { format: 'csv', text, options, naive: naiveTable };
  });

const muxed = fc
  .record({ geometry: cellGeometries(), columnMux: fc.integer({ min: 1, max: 3 }) })
  .map(({ geometry: { banks, rows, columns }, columnMux }) => ({
    columnMux,
    geometry: { banks, rows, columns: columns * columnMux },
  }));

const muxedMaps = muxed.chain(({ geometry, columnMux }) =>
  fc.record({ map: flips(fc.constant(geometry)), columnMux: fc.constant(columnMux) }),
);

const logs: fc.Arbitrary<MapSample> = fc
  .record({
    muxedMap: muxedMaps,
    addressBase: fc.constantFrom(10 as const, 16 as const),
    maskBase: fc.constantFrom(2 as const, 10 as const, 16 as const),
    isPrefixed: fc.boolean(),
    end: ends,
  })
  .map(({ muxedMap: { map, columnMux }, addressBase, maskBase, isPrefixed, end }) => {
    const lines = wordsOf(map, columnMux).flatMap((word, address) => {
      if (word === 0n) return [];
      const at = isPrefixed ? `0x${address.toString(16)}` : address.toString(addressBase);
      return [`${at},${isPrefixed ? `0x${word.toString(16)}` : word.toString(maskBase)}`];
    });
    const text = ['address,fail-bit-mask', ...lines].map((line) => `${line}${end}`).join('');
    const options = { geometry: map.geometry, columnMux, addressBase, maskBase };
    return { format: 'mbist', text, options, naive: naiveLog };
  });

const comparisons: fc.Arbitrary<MapSample> = fc
  .record({ zero: muxedMaps, seed: fc.nat() })
  .map(({ zero: { map, columnMux }, seed }) => {
    const { geometry } = map;
    const bits = geometry.columns / columnMux;
    const ones = (1n << BigInt(bits)) - 1n;
    const hexadecimal = (word: bigint) =>
      `0x${word.toString(16).padStart(Math.ceil(bits / 4), '0')}`;
    const lines = wordsOf(map, columnMux).flatMap((word, address) => {
      const background = (seed + address) % 3;
      const read = [ones, 0n].filter((_, index) => background !== index);
      return read.map((data) => `${address},${hexadecimal(data)},${hexadecimal(data ^ word)}\n`);
    });
    const options = { geometry, columnMux, addressBase: 10, maskBase: 16 } as const;
    const text = `address,expected,actual\n${lines.join('')}`;
    return { format: 'mbist', text, options, naive: naiveLog };
  });

const dumps: fc.Arbitrary<MapSample> = fc
  .record({
    map: flips(wide),
    faultBit: fc.constantFrom(0 as const, 1 as const),
    perLine: fc.constantFrom('row', 'bank', 'all'),
    isUpper: fc.boolean(),
    end: ends,
  })
  .map(({ map, faultBit, perLine, isUpper, end }) => {
    const { banks, rows, columns } = map.geometry;
    const digits = rowsOf(map).map((row) => {
      const bits = row.map((isFaulty) => (isFaulty === (faultBit === 1) ? '1' : '0'));
      const text = BigInt(`0b${bits.reverse().join('')}`).toString(16);
      const padded = text.padStart(Math.ceil(columns / 4), '0');
      return isUpper ? padded.toUpperCase() : padded;
    });
    const count = perLine === 'row' ? 1 : perLine === 'bank' ? rows : banks * rows;
    const text = digits
      .map((row, index) => ((index + 1) % count === 0 ? `${row}${end}` : row))
      .join('');
    return { format: 'hex', text, options: { geometry: map.geometry, faultBit }, naive: naiveDump };
  });

const memories: fc.Arbitrary<MapSample> = fc
  .record({ muxedMap: muxedMaps, faultBit: fc.constantFrom(0 as const, 1 as const), at: fc.nat() })
  .map(({ muxedMap: { map, columnMux }, faultBit, at }) => {
    const bits = map.geometry.columns / columnMux;
    const ones = (1n << BigInt(bits)) - 1n;
    const words = wordsOf(map, columnMux).map((word) =>
      (faultBit === 1 ? word : ones ^ word).toString(16).padStart(Math.ceil(bits / 4), '0'),
    );
    const split = at % words.length;
    const part = (first: number, end: number) =>
      `@${first.toString(16)}\n${words.slice(first, end).join('\n')}\n`;
    const text = `// memory\n${part(split, words.length)}${split > 0 ? part(0, split) : ''}`;
    const options = { geometry: map.geometry, columnMux, faultBit };
    return { format: 'memh', text, options, naive: naiveMemory };
  });

const matrices: fc.Arbitrary<MapSample> = fc
  .record({
    map: flips(wide),
    faultBit: fc.constantFrom(0 as const, 1 as const),
    separator: fc.constantFrom(',', ';', '\t', ' ', '   '),
    value: fc.constantFrom(
      (bit: number) => `${bit}`,
      (bit: number) => bit.toExponential(18),
      (bit: number) => (bit === 1 ? 'True' : 'False'),
      (bit: number) => `${bit}.0`,
    ),
    kind: fc.constantFrom(undefined, ...FAULT_KINDS),
    end: ends,
  })
  .map(({ map, faultBit, separator, value, kind, end }) => {
    const text = rowsOf(map)
      .map((row) => row.map((isFaulty) => value(isFaulty === (faultBit === 1) ? 1 : 0)))
      .map((row) => `${row.join(separator)}${end}`)
      .join('');
    const options = { geometry: map.geometry, faultBit, kind };
    return { format: 'matrix', text, options, naive: naiveMatrix };
  });

const bitmaps: fc.Arbitrary<MapSample> = fc
  .record({ map: flips(wide), marks: fc.constantFrom('01', '.X', '-x', '.*'), end: ends })
  .map(({ map, marks, end }) => {
    const text = rowsOf(map)
      .map((row) => `${row.map((isFaulty) => marks[isFaulty ? 1 : 0]).join('')}${end}`)
      .join('');
    const options = { geometry: map.geometry, ...(marks === '01' && { faultBit: 1 as const }) };
    return { format: 'bitmap', text, options, naive: naiveBitmap };
  });

/** Files of maps that a naive reader reads, too, by what they hold. */
export const MAP_SAMPLES = { tables, logs, comparisons, dumps, memories, matrices, bitmaps };

/**
 * The faults of a file that is read as its sample says.
 *
 * @throws InputError where it is refused
 */
export function readFaults(
  file: string | Uint8Array,
  { options, format }: MapSample,
): NaiveFault[] {
  return faultsOf(decode(file, { ...options, format }).map);
}

/** What a reader makes of a file, or nothing where it refuses it. */
export function readOrRefuse(text: string, sample: MapSample): NaiveFault[] | undefined {
  try {
    return readFaults(text, sample);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Undefined where the naive reader does not take the file. */
export function naiveFaults(text: string, { naive, options }: MapSample): NaiveFault[] | undefined {
  try {
    return naive(text, options);
  } catch {
    return undefined;
  }
}
