import type { Command } from 'commander';
import { DIE_STOPS } from '../../../campaign/index.js';
import { InputError } from '../../../core/index.js';
import { type CellGeometry, TILINGS, type Tiling } from '../../../fault/index.js';
import { choice, option, repeated, wholeNumber } from '../../input/options.js';
import { muxOf, parseGeometry, parseOffset } from '../map/geometry-options.js';
import { addFormatOptions, type FormatFlags, formatOptionsOf } from '../map/read-options.js';

/** Measured dies as the options give them. */
export interface DieFlags extends FormatFlags {
  readonly faultMaps?: readonly string[];
  readonly dieLabels?: string;
  readonly missing?: 'clean' | 'skip';
  readonly mapGeometry?: CellGeometry;
  readonly columnMux?: number;
  readonly wordBits?: number;
  readonly tile?: Tiling;
  readonly offset?: readonly [number, number, number];
  readonly stop?: (typeof DIE_STOPS)[number];
}

/** The options that mean something with `--fault-maps` alone, by the names of their values. */
const FLAGS: Readonly<Record<Exclude<keyof DieFlags, 'faultMaps'>, string>> = {
  dieLabels: '--die-labels',
  missing: '--missing',
  mapGeometry: '--map-geometry',
  columnMux: '--column-mux',
  wordBits: '--word-bits',
  tile: '--tile',
  offset: '--offset',
  stop: '--stop',
  from: '--from',
  kind: '--kind',
  faultBit: '--fault-bit',
  columns: '--columns',
  indexBase: '--index-base',
  addressBase: '--address-base',
  maskBase: '--mask-base',
  select: '--select',
};

/** Options that name the fault maps of measured dies, and say what their files do not say themselves. */
export function addDieOptions(command: Command): Command {
  command
    .addOption(
      option(
        '--fault-maps <files>',
        'fault maps of measured dies: a folder, a pattern such as "maps/*.csv", or a table with columns die, lot, wafer, x, y, voltage; repeat it for more',
      ).argParser(repeated),
    )
    .addOption(
      option(
        '--die-labels <pattern>',
        'labels in the names of the files, such as {die}_{voltage}V.csv (default: the die is the name without its extension)',
      ),
    )
    .addOption(
      choice(
        '--missing <meaning>',
        'what dies are without a line at a voltage that others have: clean, or not measured there',
        ['clean', 'skip'],
      ),
    )
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
    )
    .addOption(
      choice(
        '--stop <when>',
        'when a die ends: as soon as it is settled, or never before its images are run (default: settled)',
        DIE_STOPS,
      ),
    );
  return addFormatOptions(command);
}

/**
 * The field `dies` of a study as the options give it, and the fields that other options give.
 *
 * @throws InputError when an option is given that means something with `--fault-maps` alone
 */
export function fieldsWithDies(
  flags: DieFlags & Readonly<Record<string, unknown>>,
  command: Command,
): Record<string, unknown> {
  const rest = Object.fromEntries(
    Object.entries(flags).filter(([name]) => name !== 'faultMaps' && !(name in FLAGS)),
  );
  const { faultMaps, dieLabels, missing, mapGeometry, tile, offset, stop } = flags;
  if (faultMaps === undefined) {
    // In the environment it may be meant for `map import`.
    const alone = Object.entries(FLAGS).find(
      ([name]) => command.getOptionValueSource(name) === 'cli',
    );
    if (alone !== undefined) throw new InputError(`${alone[1]} needs --fault-maps`);
    return rest;
  }
  const { select, ...format } = formatOptionsOf(flags);
  const dies = {
    ...{ from: faultMaps, dieLabels, missing, tile, offset, stop },
    mapGeometry: mapGeometry && sizesOf(mapGeometry),
    columnMux: columnMuxOf(flags),
    ...format,
    select: select && Object.fromEntries(select.map(({ name, value }) => [name, value])),
  };
  const given = Object.entries(dies).filter(([, value]) => value !== undefined);
  return { ...rest, dies: Object.fromEntries(given) };
}

function sizesOf({ banks, rows, columns }: CellGeometry): string {
  return `${banks}x${rows}x${columns}`;
}

function columnMuxOf({ columnMux, wordBits, mapGeometry }: DieFlags): number | undefined {
  if (wordBits === undefined) return columnMux;
  if (mapGeometry === undefined) {
    throw new InputError('--word-bits needs --map-geometry BANKSxROWSxCOLUMNS');
  }
  return muxOf(mapGeometry, wordBits, '--map-geometry');
}
