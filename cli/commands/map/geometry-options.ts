import { type Command, InvalidArgumentError, type Option } from 'commander';
import { InputError } from '../../../core/index.js';
import {
  type CellGeometry,
  cellCount,
  checkGeometry,
  dataCellCount,
  dataGeometry,
} from '../../../fault/index.js';
import { WORD_BITS } from '../../../models/index.js';
import { loadAccelerator, registersOf, STORAGE_TITLES } from '../../../sim/index.js';
import { option, wholeNumber } from '../../input/options.js';
import { type StorageFlags, storageOf } from './memory-options.js';

/** A memory stated by its size, instead of an accelerator's. */
export interface GeometryFlags {
  readonly geometry?: CellGeometry;
  readonly spareRows?: number;
  readonly checkColumns?: number;
  readonly spareColumns?: number;
  readonly columnMux?: number;
  readonly wordBits?: number;
}

/** A memory of cells and the words in its rows. */
export interface GivenMemory {
  readonly geometry: CellGeometry;
  readonly columnMux: number;
}

/** Parse banks, rows and columns. */
export function parseGeometry(text: string): CellGeometry {
  const match = /^(\d+)[x×](\d+)[x×](\d+)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError('Expected BANKSxROWSxCOLUMNS, for example 4x1024x256.');
  }
  const [banks, rows, columns] = match.slice(1).map(Number);
  return { banks, rows, columns };
}

/** Parse a bank, a row and a column. */
export function parseOffset(text: string): [number, number, number] {
  const match = /^(\d+),(\d+),(\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected BANK,ROW,COLUMN, such as 1,8,16.');
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Options that state a memory by its size. */
export function addGeometryOptions(command: Command): Command {
  const extra = (flag: string, cells: string): Option =>
    option(`--${flag} <n>`, `with --geometry: so many of its ${cells}`).argParser(wholeNumber(0));
  return command
    .addOption(
      option(
        '--geometry <BxRxC>',
        'memory of so many banks × rows × columns, spare and check cells included',
      ).argParser(parseGeometry),
    )
    .addOption(extra('spare-rows', 'rows are spare, the last ones'))
    .addOption(extra('check-columns', 'columns hold check bits, after the data columns'))
    .addOption(extra('spare-columns', 'columns are spare, the last ones'))
    .addOption(
      option('--column-mux <n>', 'with --geometry: words that interleave in a row').argParser(
        wholeNumber(1),
      ),
    )
    .addOption(
      option(
        '--word-bits <n>',
        'with --geometry: data bits of a word, in place of --column-mux (columns = word bits × mux)',
      )
        .conflicts('columnMux')
        .argParser(wholeNumber(1)),
    );
}

/**
 * The memory that the geometry options state; undefined when there is none.
 *
 * @throws InputError when the sizes contradict each other, or are given without `--geometry`.
 */
export function statedMemory(flags: GeometryFlags): GivenMemory | undefined {
  const { geometry, spareRows, checkColumns, spareColumns, columnMux, wordBits } = flags;
  if (geometry === undefined) {
    const alone = Object.entries({ spareRows, checkColumns, spareColumns, wordBits }).find(
      ([, size]) => size !== undefined,
    );
    if (alone === undefined) return undefined;
    const flag = alone[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new InputError(`--${flag} needs --geometry BANKSxROWSxCOLUMNS`);
  }
  const stated = { ...geometry, spareRows, checkColumns, spareColumns };
  checkGeometry(stated, '--geometry');
  return { geometry: stated, columnMux: columnMux ?? muxOf(stated, wordBits) };
}

/** The words in a row of words of so many bits; 1 where nobody says how many. */
export function muxOf(
  geometry: CellGeometry,
  wordBits: number | undefined,
  flag = '--geometry',
): number {
  const { columns } = dataGeometry(geometry);
  const mux = columns / (wordBits ?? columns);
  if (Number.isInteger(mux)) return mux;
  throw new InputError(
    `--word-bits ${wordBits} does not divide the ${columns} data columns of ${flag}`,
  );
}

/**
 * The memory of a storage that the geometry options state; undefined when there is none.
 *
 * @throws InputError when the sizes contradict each other or the storage, or are given without `--geometry`.
 */
export function statedStorage(flags: GeometryFlags & StorageFlags): StorageMemory | undefined {
  const memory = statedMemory(flags);
  return memory && { ...memory, valueBits: valueBitsIn(memory, flags) };
}

/** A memory of cells, and what they hold. */
export interface StorageMemory extends GivenMemory {
  /** Bits of a weight, a value, a sum or a product. */
  readonly valueBits: number;
}

/** The memory of the storage that the geometry options state, or else that of the accelerator and network. */
export function givenMemory(flags: GeometryFlags & StorageFlags): StorageMemory {
  return statedStorage(flags) ?? acceleratorMemory(flags);
}

/** The storage of the accelerator, as the network uses it. */
export function acceleratorMemory(flags: StorageFlags): StorageMemory {
  const { geometry, columnMux, valueBits } = storageOf(flags).storage;
  return { geometry, columnMux, valueBits };
}

/** @throws InputError when registers cannot have such a size */
function valueBitsIn(
  { geometry, columnMux }: GivenMemory,
  { storage = 'weights', format, accelerator: nameOrFile }: StorageFlags,
): number {
  if (storage === 'weights' || storage === 'inputs' || storage === 'activations') {
    return WORD_BITS[format];
  }
  const { array, accumulatorMemory } = loadAccelerator(nameOrFile);
  const { bits } = registersOf(storage, array, format);
  if (storage === 'accumulators' && accumulatorMemory) return bits;
  const title = STORAGE_TITLES[storage];
  if (dataCellCount(geometry) !== cellCount(geometry) || columnMux !== 1) {
    throw new InputError(
      `--geometry: ${title} are registers, one beside the other, without check or spare cells: give banks, rows and columns alone`,
    );
  }
  const mostBanks = storage === 'weight-registers' ? 2 : 1;
  if (geometry.banks > mostBanks) {
    throw new InputError(
      `--geometry: ${title} are ${mostBanks === 1 ? 'one bank' : 'one bank, or two of an array that preloads'}, not ${geometry.banks}`,
    );
  }
  if (geometry.columns % bits !== 0) {
    throw new InputError(
      `--geometry: ${title} have ${bits} bits with ${format} words: give a multiple of ${bits} columns, not ${geometry.columns}`,
    );
  }
  return bits;
}

/** Whether the user named a network, accelerator or storage, rather than leaving the default. */
export function namesAccelerator(command: Command): boolean {
  return ['model', 'format', 'accelerator', 'placement', 'storage'].some((name) => {
    const source = command.getOptionValueSource(name);
    return source !== undefined && source !== 'default';
  });
}
