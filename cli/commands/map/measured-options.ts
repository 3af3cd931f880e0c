import type { Command } from 'commander';
import type { MeasuredMapOptions } from '../../../campaign/index.js';
import { InputError } from '../../../core/index.js';
import { type CellGeometry, TILINGS, type Tiling } from '../../../fault/index.js';
import { choice, option, wholeNumber } from '../../input/options.js';
import { muxOf, parseGeometry, parseOffset } from './geometry-options.js';
import { addFormatOptions, type FormatFlags, formatOptionsOf } from './read-options.js';

/** The memory that was measured, and how it lies in an accelerator's. */
export interface MeasuredFlags extends FormatFlags {
  readonly mapGeometry?: CellGeometry;
  readonly columnMux?: number;
  readonly wordBits?: number;
  readonly tile?: Tiling;
  readonly offset?: readonly [number, number, number];
}

/** The options of `addMeasuredOptions`, by the names of their values. */
export const MEASURED_FLAGS: Readonly<Record<keyof MeasuredFlags, string>> = {
  mapGeometry: '--map-geometry',
  columnMux: '--column-mux',
  wordBits: '--word-bits',
  tile: '--tile',
  offset: '--offset',
  from: '--from',
  kind: '--kind',
  faultBit: '--fault-bit',
  columns: '--columns',
  indexBase: '--index-base',
  addressBase: '--address-base',
  maskBase: '--mask-base',
  select: '--select',
};

/** Options that say what files of measured faults do not say themselves, and where the measured memory lies. */
export function addMeasuredOptions(command: Command): Command {
  command
    .addOption(
      option(
        '--map-geometry <BxRxC>',
        'the memory that was measured, where it is not that of the accelerator',
      ).argParser(parseGeometry),
    )
    .addOption(
      option('--column-mux <n>', 'words that interleave in a row of the measured memory').argParser(
        wholeNumber(1),
      ),
    )
    .addOption(
      option(
        '--word-bits <n>',
        'with --map-geometry: data bits of a word, in place of --column-mux',
      )
        .conflicts('columnMux')
        .argParser(wholeNumber(1)),
    )
    .addOption(
      choice(
        '--tile <how>',
        'how the measured memory lies in that of the accelerator: once at the offset, repeated, or its banks as macros (default: once)',
        TILINGS,
      ),
    )
    .addOption(
      option('--offset <BANK,ROW,COLUMN>', 'where the measured memory begins').argParser(
        parseOffset,
      ),
    );
  return addFormatOptions(command);
}

/**
 * The options as the reader of one map takes them.
 *
 * @throws InputError when one is given without `--fault-map`, or a word is not of whole columns
 */
export function measuredMapOf(
  flags: MeasuredFlags & { readonly faultMap?: string },
  command: Command,
): MeasuredMapOptions | undefined {
  if (flags.faultMap === undefined) {
    requireNone(MEASURED_FLAGS, command, '--fault-map');
    return undefined;
  }
  const { mapGeometry, tile, offset } = flags;
  return { ...formatOptionsOf(flags), mapGeometry, tile, offset, columnMux: measuredMux(flags) };
}

/** @throws InputError when an option is given on the command line that means something with another alone */
export function requireNone(
  flags: Readonly<Record<string, string>>,
  command: Command,
  needed: string,
): void {
  // In the environment it may be meant for `map import`.
  const alone = Object.entries(flags).find(
    ([name]) => command.getOptionValueSource(name) === 'cli',
  );
  if (alone !== undefined) throw new InputError(`${alone[1]} needs ${needed}`);
}

/** Words that interleave in a row of the measured memory; undefined: nobody says how many. */
export function measuredMux({
  columnMux,
  wordBits,
  mapGeometry,
}: MeasuredFlags): number | undefined {
  if (wordBits === undefined) return columnMux;
  if (mapGeometry === undefined) {
    throw new InputError('--word-bits needs --map-geometry BANKSxROWSxCOLUMNS');
  }
  return muxOf(mapGeometry, wordBits, '--map-geometry');
}
