import { Command } from 'commander';
import {
  cellCount,
  FAULT_KINDS,
  formatGeometry,
  type UniformFaults,
  uniformFaultMap,
  writeFaultMap,
} from '../../../fault/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  option,
  rate,
  seedOption,
  wholeNumber,
} from '../../options.js';
import { printResult } from '../../output.js';
import { grouped } from '../../table.js';
import { addMemoryOptions, type MemoryFlags, memoryOf } from './memory-options.js';

interface CreateFlags extends MemoryFlags, CommonOptions {
  readonly output: string;
  readonly rate: number;
  readonly faults: UniformFaults;
  readonly seed: number;
  readonly map: number;
}

export function createCommand(): Command {
  const command = new Command('create')
    .description('Draw a uniform fault map for the weight memory of a network')
    .addOption(option('--output <file>', 'fault map to write').makeOptionMandatory())
    .addOption(
      option('--rate <rate>', 'share of the cells that are faulty')
        .makeOptionMandatory()
        .argParser(rate),
    )
    .addOption(
      choice('--faults <kind>', 'what faulty cells do', [...FAULT_KINDS, 'stuck-at']).default(
        'flip',
      ),
    )
    .addOption(seedOption())
    .addOption(
      option('--map <n>', 'number of the map: a study with this seed draws 0, 1, …')
        .default(0)
        .argParser(wholeNumber(0)),
    )
    .action(create);
  return addCommonOptions(addMemoryOptions(command));
}

function create(flags: CreateFlags): void {
  const { output, rate: faultRate, faults, seed, map: trial } = flags;
  const { placement } = memoryOf(flags);
  const map = uniformFaultMap({
    geometry: placement.geometry,
    rate: faultRate,
    faults,
    seed,
    trial,
  });
  writeFaultMap(output, map);
  printResult(
    flags.json,
    {
      output,
      geometry: map.geometry,
      cells: cellCount(map.geometry),
      faults: map.cells.length,
      seed,
      map: trial,
    },
    () => `${output}: ${grouped(map.cells.length)} faults in ${formatGeometry(map.geometry)}`,
  );
}
