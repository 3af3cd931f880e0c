import { Command } from 'commander';
import { formatGeometry, readFaultMap, summarizeFaultMap } from '../../../fault/index.js';
import { addCommonOptions, type CommonOptions } from '../../options.js';
import { printResult } from '../../output.js';
import { grouped } from '../../table.js';

export function showCommand(): Command {
  const command = new Command('show')
    .description('Totals of a fault map')
    .argument('<file>', 'fault map')
    .action(show);
  return addCommonOptions(command);
}

function show(file: string, { json }: CommonOptions): void {
  const map = readFaultMap(file);
  const summary = summarizeFaultMap(map);
  printResult(json, { file, provenance: map.provenance, ...summary }, () =>
    [
      `${file}: ${grouped(summary.faults)} faults in ${grouped(summary.cells)} cells (rate ${summary.rate.toExponential(2)})`,
      formatGeometry(map.geometry),
      ...Object.entries(summary.kinds).map(([kind, count]) => `${kind}: ${grouped(count)}`),
      ...(['banks', 'rows', 'columns'] as const).map(
        (lines) =>
          `${lines} with faults: ${grouped(summary[lines].faulty)}, at most ${grouped(summary[lines].worst?.faults ?? 0)} in one`,
      ),
    ].join('\n'),
  );
}
