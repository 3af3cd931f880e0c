import { Command } from 'commander';
import { InputError, requireSafeOutputs } from '../../../core/index.js';
import {
  type CellGeometry,
  cellCount,
  type FaultMap,
  faultMapFiles,
  faultMapOutputs,
  formatGeometry,
  importFaultMap,
  type PlacedFaultMap,
  placeFaultMap,
  requireGeometry,
  TILINGS,
  type Tiling,
  writeFaultMap,
} from '../../../fault/index.js';
import { addCommonOptions, type CommonOptions, choice, option } from '../../input/options.js';
import { printResult } from '../../print/output.js';
import { grouped } from '../../print/table.js';
import { parseGeometry, parseOffset } from './geometry-options.js';
import { noteLines } from './note-lines.js';
import {
  addReadOptions,
  ofNamedStorage,
  type ReadFlags,
  readInputs,
  readOptionsOf,
} from './read-options.js';

interface ImportFlags extends ReadFlags, CommonOptions {
  readonly output: string;
  readonly onto?: CellGeometry;
  readonly tile?: Tiling;
  readonly offset?: readonly [number, number, number];
}

export function importCommand(): Command {
  const command = new Command('import')
    .description('Convert measured faults to a fault map')
    .argument(
      '<files...>',
      'fault map: JSON, binary, table, dump, MBIST log, 0/1 matrix, bitmap or NumPy array (- is standard input); or two 0/1 matrices: stuck-at-0, stuck-at-1',
    )
    .addOption(
      option(
        '-o, --output <file>',
        'fault map to write, format by extension',
      ).makeOptionMandatory(),
    )
    .addOption(
      option('--onto <BxRxC>', 'place the map on a memory of this size').argParser(parseGeometry),
    )
    .addOption(
      choice(
        '--tile <how>',
        'with --onto: the map once at the offset, repeated over the memory, or its banks as macros one after the other (default: once)',
        TILINGS,
      ),
    )
    .addOption(
      option('--offset <BANK,ROW,COLUMN>', 'with --onto: where the map begins').argParser(
        parseOffset,
      ),
    )
    .action(importMap);
  return addCommonOptions(addReadOptions(command));
}

function importMap(files: readonly string[], flags: ImportFlags, command: Command): void {
  if (files.length > 2) {
    throw new InputError(
      `${files.length} files were given; give one file, or two 0/1 matrices: stuck-at-0, stuck-at-1`,
    );
  }
  const { output } = flags;
  requireSafeOutputs(
    faultMapOutputs(output).map((path) => ['--output', path]),
    [...faultMapFiles(files.join(',')), ...readInputs(flags)],
  );
  const options = readOptionsOf(flags, command);
  const file = files.join(',');
  const { map: found, format, repeatedLines } = importFaultMap(file, options);
  const read = ofNamedStorage(found, flags, file);
  if (options.geometry !== undefined) requireGeometry(read, options.geometry, file);
  const { map, coveredCells } = placed(read, flags);
  const cells = cellCount(map.geometry);
  writeFaultMap(output, map, options);
  const { onto, tile = 'once', offset = [0, 0, 0] } = flags;
  const result = {
    files,
    format,
    output,
    geometry: map.geometry,
    cells,
    faults: map.cells.length,
    repeatedLines,
    provenance: map.provenance,
    ...(onto && { measured: read.geometry, tile, offset, covered: coveredCells / cells }),
  };
  printResult(flags.json, result, () =>
    [
      `${output}: ${grouped(map.cells.length)} faults in ${formatGeometry(map.geometry)} (read as ${format})`,
      ...(repeatedLines > 0
        ? [`${grouped(repeatedLines)} lines repeat faults of earlier lines; merged`]
        : []),
      ...noteLines(map.provenance),
      ...(onto ? [`covers ${percent(coveredCells / cells)} of the memory`] : []),
    ].join('\n'),
  );
}

/** The map on the memory that it is to be placed on, if one is named. */
function placed(map: FaultMap, { onto, tile, offset }: ImportFlags): PlacedFaultMap {
  if (onto !== undefined) return placeFaultMap(map, onto, { tile: tile ?? 'once', offset });
  if (tile !== undefined || offset !== undefined) {
    throw new InputError(`${tile ? '--tile' : '--offset'} needs --onto BANKSxROWSxCOLUMNS`);
  }
  return { map, coveredCells: cellCount(map.geometry) };
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
