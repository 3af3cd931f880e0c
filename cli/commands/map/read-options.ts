import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../../core/index.js';
import {
  type BitPermutation,
  FAULT_FILE_FORMATS,
  FAULT_KINDS,
  type FaultFileFormat,
  type FaultKind,
  type FaultMap,
  type ReadMapOptions,
  readPermutation,
  requireStorage,
  type Selection,
  storageOfMap,
} from '../../../fault/index.js';
import { modelFile } from '../../input/input-files.js';
import { choice, list, option } from '../../input/options.js';
import {
  acceleratorMemory,
  addGeometryOptions,
  type GeometryFlags,
  namesAccelerator,
  statedStorage,
} from './geometry-options.js';
import { addStorageOptions, type StorageFlags } from './memory-options.js';

/** What a file of faults does not say itself, but for its memory. */
export interface FormatFlags {
  readonly from?: FaultFileFormat;
  readonly kind?: FaultKind;
  readonly faultBit?: '0' | '1';
  readonly columns?: readonly string[];
  readonly indexBase?: '0' | '1';
  readonly addressBase?: '10' | '16';
  readonly maskBase?: '2' | '10' | '16';
  readonly select?: readonly Selection[];
}

/** What a file of faults does not say itself. */
export interface ReadFlags extends FormatFlags, StorageFlags, GeometryFlags {
  readonly permutation?: string;
  readonly addressBits?: readonly number[];
  readonly dataBits?: readonly number[];
}

function bits(text: string): number[] {
  return list(text).map((item) => {
    if (!/^\d+$/.test(item)) throw new InvalidArgumentError(`"${item}" is not a bit number.`);
    return Number(item);
  });
}

function selections(text: string): Selection[] {
  return list(text).map((item) => {
    const [name, ...rest] = item.split('=');
    const value = rest.join('=').trim();
    if (name.trim() === '' || value === '') {
      throw new InvalidArgumentError(`"${item}" is not NAME=VALUE, such as die=D03.`);
    }
    return { name: name.trim(), value };
  });
}

/** Options that say how to read a file of faults. */
export function addReadOptions(command: Command): Command {
  return addFormatOptions(addStorageOptions(addGeometryOptions(command)))
    .addOption(
      option('--permutation <file>', 'scrambling of address and data bits (YAML)').conflicts([
        'addressBits',
        'dataBits',
      ]),
    )
    .addOption(
      option(
        '--address-bits <list>',
        'logical address bit on each physical one, from bit 0',
      ).argParser(bits),
    )
    .addOption(
      option('--data-bits <list>', 'logical data bit on each physical one, from bit 0').argParser(
        bits,
      ),
    );
}

/** Options that say what a file of faults does not say itself, but for the memory that was measured. */
export function addFormatOptions(command: Command): Command {
  return command
    .addOption(
      choice('--from <format>', 'format of the file (default: by its content)', FAULT_FILE_FORMATS),
    )
    .addOption(
      choice(
        '--kind <kind>',
        'what faults do where the file does not say: masks, matrices, bitmaps, tables without a kind (default: flip)',
        FAULT_KINDS,
      ),
    )
    .addOption(
      choice(
        '--fault-bit <bit>',
        'the bit that marks a fault (default: 0 in dumps, then stuck-at-0; 1 in matrices and bitmaps)',
        ['0', '1'],
      ),
    )
    .addOption(
      option(
        '--columns <list>',
        'names of the columns of a table without names: bank,row,column,kind,address,bit,die,…; - for none',
      ).argParser(list),
    )
    .addOption(
      choice('--index-base <n>', 'first bank, row and column of a table (default: 0)', ['0', '1']),
    )
    .addOption(
      choice('--address-base <n>', 'base of addresses without 0x (default: as they show)', [
        '10',
        '16',
      ]),
    )
    .addOption(
      choice('--mask-base <n>', 'base of masks and words without 0x (default: as they show)', [
        '2',
        '10',
        '16',
      ]),
    )
    .addOption(
      option(
        '--select <name=value,...>',
        'lines of a table with labels that are read, such as die=D03,voltage=0.6',
      ).argParser(selections),
    );
}

function permutationOf(flags: ReadFlags): BitPermutation | undefined {
  const { permutation, addressBits, dataBits } = flags;
  if (permutation !== undefined) return readPermutation(permutation);
  return addressBits || dataBits ? { addressBits, dataBits } : undefined;
}

const MASK_BASES = { 2: 2, 10: 10, 16: 16 } as const;

/** The files that the options name. */
export function readInputs({ model, accelerator, permutation }: ReadFlags) {
  return [modelFile(model), accelerator, permutation];
}

/** The options of `addFormatOptions` as the reader of fault maps takes them. */
export function formatOptionsOf(flags: FormatFlags) {
  return {
    format: flags.from,
    kind: flags.kind,
    faultBit: flags.faultBit && (flags.faultBit === '1' ? 1 : 0),
    columns: flags.columns,
    indexBase: flags.indexBase && (flags.indexBase === '1' ? 1 : 0),
    addressBase: flags.addressBase && (flags.addressBase === '16' ? 16 : 10),
    maskBase: flags.maskBase && MASK_BASES[flags.maskBase],
    select: flags.select,
  } as const;
}

/**
 * A map that was read, as one of the storage that the user names.
 *
 * @throws InputError when it says that it is of another one
 */
export function ofNamedStorage(
  map: FaultMap,
  { storage }: Pick<StorageFlags, 'storage'>,
  file: string,
): FaultMap {
  if (storage === undefined) return map;
  requireStorage(map, storage, file);
  if (storage === 'weights' || storageOfMap(map) !== undefined) return map;
  return { ...map, provenance: { ...map.provenance, storage } };
}

/** The options as the reader of fault maps takes them: a memory only where the user names one. */
export function readOptionsOf(flags: ReadFlags, command: Command): ReadMapOptions {
  const memory =
    statedStorage(flags) ?? (namesAccelerator(command) ? acceleratorMemory(flags) : undefined);
  const { columnMux = memory?.columnMux } = flags;
  if (memory !== undefined && flags.geometry === undefined && flags.columnMux !== undefined) {
    throw new InputError('--column-mux needs --geometry BANKSxROWSxCOLUMNS');
  }
  return {
    ...formatOptionsOf(flags),
    columnMux,
    geometry: memory?.geometry,
    permutation: permutationOf(flags),
    storage: flags.storage,
  };
}
