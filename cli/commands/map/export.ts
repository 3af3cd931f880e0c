import { Command } from 'commander';
import { requireSafeOutputs } from '../../../core/index.js';
import {
  faultMapFiles,
  faultMapOutputs,
  readFaultMap,
  writeFaultMap,
} from '../../../fault/index.js';
import { addMemoryLimit } from '../../input/memory-limit.js';
import { addCommonOptions, type CommonOptions, option, wholeNumber } from '../../input/options.js';
import { printResult } from '../../print/output.js';
import { grouped } from '../../print/table.js';

interface ExportFlags extends CommonOptions {
  readonly output: string;
  readonly columnMux: number;
}

export function exportMapCommand(): Command {
  const command = new Command('export')
    .description('Write a fault map in another format')
    .argument('<file>', 'fault map that states its memory: Bitcell JSON or binary')
    .addOption(
      option(
        '-o, --output <file>',
        '.json, .bfm, .csv, .hex, .mbist, or a pair of 0/1 matrices: STUCK0.csv,STUCK1.csv',
      ).makeOptionMandatory(),
    )
    .addOption(
      option('--column-mux <n>', 'words that interleave in a row, for MBIST addresses')
        .default(1)
        .argParser(wholeNumber(1)),
    )
    .action(exportMap);
  return addCommonOptions(addMemoryLimit(command));
}

function exportMap(file: string, { output, columnMux, json }: ExportFlags): void {
  requireSafeOutputs(
    faultMapOutputs(output).map((path) => ['--output', path]),
    faultMapFiles(file),
  );
  const map = readFaultMap(file);
  writeFaultMap(output, map, { columnMux });
  printResult(
    json,
    { file, output, faults: map.cells.length },
    () => `${output}: ${grouped(map.cells.length)} faults`,
  );
}
