import { Command } from 'commander';
import { InputError, requireSafeOutputs } from '../../../core/index.js';
import {
  cellCount,
  faultMapFiles,
  faultMapOutputs,
  formatGeometry,
  importFaultMap,
  requireGeometry,
  writeFaultMap,
} from '../../../fault/index.js';
import { addCommonOptions, type CommonOptions, option } from '../../input/options.js';
import { printResult } from '../../print/output.js';
import { grouped } from '../../print/table.js';
import { addReadOptions, type ReadFlags, readInputs, readOptionsOf } from './read-options.js';

interface ImportFlags extends ReadFlags, CommonOptions {
  readonly output: string;
}

export function importCommand(): Command {
  const command = new Command('import')
    .description('Convert measured faults to a fault map')
    .argument(
      '<files...>',
      'fault map: JSON, binary, CSV, hexadecimal dump or MBIST log; or two 0/1 matrices: stuck-at-0, stuck-at-1',
    )
    .addOption(
      option(
        '-o, --output <file>',
        'fault map to write, format by extension',
      ).makeOptionMandatory(),
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
  const { map, format, repeatedLines } = importFaultMap(files.join(','), options);
  if (options.geometry !== undefined) requireGeometry(map, options.geometry, files.join(','));
  writeFaultMap(output, map, options);
  const result = {
    files,
    format,
    output,
    geometry: map.geometry,
    cells: cellCount(map.geometry),
    faults: map.cells.length,
    repeatedLines,
  };
  printResult(flags.json, result, () =>
    [
      `${output}: ${grouped(map.cells.length)} faults in ${formatGeometry(map.geometry)} (read as ${format})`,
      ...(repeatedLines > 0
        ? [`${grouped(repeatedLines)} lines repeat faults of earlier lines; merged`]
        : []),
    ].join('\n'),
  );
}
