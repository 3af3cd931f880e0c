import { Command } from 'commander';
import { requireSafeOutputs } from '../../../core/index.js';
import {
  cellCount,
  faultMapOf,
  faultMapOutputs,
  formatGeometry,
  writeFaultMap,
} from '../../../fault/index.js';
import { acceleratorFile, storageSeed } from '../../../sim/index.js';
import { modelFile } from '../../input/input-files.js';
import {
  addCommonOptions,
  type CommonOptions,
  option,
  seedOption,
  wholeNumber,
} from '../../input/options.js';
import { printResult } from '../../print/output.js';
import { grouped } from '../../print/table.js';
import { addFaultModelOptions, type FaultModelFlags, statedFaults } from './fault-model-options.js';
import { addGeometryOptions, type GeometryFlags, givenMemory } from './geometry-options.js';
import { addStorageOptions, type StorageFlags } from './memory-options.js';

interface CreateFlags extends StorageFlags, GeometryFlags, FaultModelFlags, CommonOptions {
  readonly output: string;
  readonly seed: number;
  readonly map: number;
}

export function createCommand(): Command {
  const command = new Command('create')
    .description(
      'Draw a fault map for the weight memory of a network, another storage of an accelerator, or a memory of a given size',
    )
    .addOption(
      option(
        '-o, --output <file>',
        'fault map to write, format by extension',
      ).makeOptionMandatory(),
    )
    .addOption(seedOption())
    .addOption(
      option('--map <n>', 'number of the map: a study with this seed draws 0, 1, …')
        .default(0)
        .argParser(wholeNumber(0)),
    )
    .action(create);
  return addCommonOptions(addFaultModelOptions(addGeometryOptions(addStorageOptions(command))));
}

function create(flags: CreateFlags): void {
  const { output, seed, map: trial, storage = 'weights' } = flags;
  requireSafeOutputs(
    faultMapOutputs(output).map((file) => ['--output', file]),
    [modelFile(flags.model), acceleratorFile(flags.accelerator), flags.faultModel],
  );
  const memory = givenMemory(flags);
  const { model, rate } = statedFaults(flags, memory);
  const drawn = faultMapOf(model, memory.geometry, storageSeed(seed, storage), trial, rate);
  const said = storage === 'weights' ? {} : { storage };
  const map = { ...drawn, provenance: { ...drawn.provenance, ...said } };
  writeFaultMap(output, map, memory);
  printResult(
    flags.json,
    {
      output,
      ...said,
      geometry: map.geometry,
      cells: cellCount(map.geometry),
      faults: map.cells.length,
      rate,
      model,
      seed,
      map: trial,
    },
    () =>
      `${output}: ${grouped(map.cells.length)} faults in ${formatGeometry(map.geometry)} (seed ${seed})`,
  );
}
