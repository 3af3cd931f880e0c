import type { Command } from 'commander';
import { DIE_STOPS } from '../../../campaign/index.js';
import type { CellGeometry } from '../../../fault/index.js';
import { choice, option, repeated } from '../../input/options.js';
import {
  addMeasuredOptions,
  MEASURED_FLAGS,
  type MeasuredFlags,
  measuredMux,
  requireNone,
} from '../map/measured-options.js';
import { formatOptionsOf } from '../map/read-options.js';

/** Measured dies as the options give them. */
export interface DieFlags extends MeasuredFlags {
  readonly faultMaps?: readonly string[];
  readonly dieLabels?: string;
  readonly missing?: 'clean' | 'skip';
  readonly stop?: (typeof DIE_STOPS)[number];
}

/** The options that mean something with `--fault-maps` alone, by the names of their values. */
const FLAGS: Readonly<Record<Exclude<keyof DieFlags, 'faultMaps'>, string>> = {
  dieLabels: '--die-labels',
  missing: '--missing',
  stop: '--stop',
  ...MEASURED_FLAGS,
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
      choice(
        '--stop <when>',
        'when a die ends: as soon as it is settled, or never before its images are run (default: settled)',
        DIE_STOPS,
      ),
    );
  return addMeasuredOptions(command);
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
    requireNone(FLAGS, command, '--fault-maps');
    return rest;
  }
  const { select, ...format } = formatOptionsOf(flags);
  const dies = {
    ...{ from: faultMaps, dieLabels, missing, tile, offset, stop },
    mapGeometry: mapGeometry && sizesOf(mapGeometry),
    columnMux: measuredMux(flags),
    ...format,
    select: select && Object.fromEntries(select.map(({ name, value }) => [name, value])),
  };
  const given = Object.entries(dies).filter(([, value]) => value !== undefined);
  return { ...rest, dies: Object.fromEntries(given) };
}

function sizesOf({ banks, rows, columns }: CellGeometry): string {
  return `${banks}x${rows}x${columns}`;
}
