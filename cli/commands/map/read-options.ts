import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../../core/index.js';
import {
  type BitPermutation,
  FAULT_FILE_FORMATS,
  FAULT_KINDS,
  type FaultFileFormat,
  type FaultKind,
  type ReadMapOptions,
  readPermutation,
} from '../../../fault/index.js';
import { modelFile } from '../../input/input-files.js';
import { choice, list, option } from '../../input/options.js';
import {
  acceleratorMemory,
  addGeometryOptions,
  type GeometryFlags,
  namesAccelerator,
  statedMemory,
} from './geometry-options.js';
import { addMemoryOptions, type MemoryFlags } from './memory-options.js';

/** What a file of faults does not say itself. */
export interface ReadFlags extends MemoryFlags, GeometryFlags {
  readonly from?: FaultFileFormat;
  readonly kind?: FaultKind;
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

/** Options that say how to read a file of faults. */
export function addReadOptions(command: Command): Command {
  const formats = Object.keys(FAULT_FILE_FORMATS);
  return addMemoryOptions(addGeometryOptions(command))
    .addOption(choice('--from <format>', 'format of the file (default: by its content)', formats))
    .addOption(
      choice('--kind <kind>', 'what failing bits of an MBIST log do (default: flip)', FAULT_KINDS),
    )
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

function permutationOf(flags: ReadFlags): BitPermutation | undefined {
  const { permutation, addressBits, dataBits } = flags;
  if (permutation !== undefined) return readPermutation(permutation);
  return addressBits || dataBits ? { addressBits, dataBits } : undefined;
}

/** The files that the options name. */
export function readInputs({ model, accelerator, permutation }: ReadFlags) {
  return [modelFile(model), accelerator, permutation];
}

/** The options as the reader of fault maps takes them: a memory only where the user names one. */
export function readOptionsOf(flags: ReadFlags, command: Command): ReadMapOptions {
  const memory =
    statedMemory(flags) ?? (namesAccelerator(command) ? acceleratorMemory(flags) : undefined);
  const { from: format, kind, columnMux = memory?.columnMux } = flags;
  if (memory !== undefined && flags.geometry === undefined && flags.columnMux !== undefined) {
    throw new InputError('--column-mux needs --geometry BANKSxROWSxCOLUMNS');
  }
  return {
    format,
    kind,
    columnMux,
    geometry: memory?.geometry,
    permutation: permutationOf(flags),
  };
}
