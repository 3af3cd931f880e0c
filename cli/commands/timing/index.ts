import { Command } from 'commander';
import {
  BANDWIDTH_MODELS,
  DEFAULT_ACCELERATOR,
  networkTiming,
  vectorTiming,
} from '../../../sim/index.js';
import { addMemoryLimit } from '../../input/memory-limit.js';
import { addCommonOptions, choice, list, option } from '../../input/options.js';
import { printResult } from '../../print/output.js';
import type { TimingFlags } from './flags.js';
import { describe } from './tables.js';
import { acceleratorOf, energyOf, memorySystem, workloadOf } from './workload.js';

export function timingCommand(): Command {
  const command = new Command('timing')
    .description('Cycles of one image on the systolic array, layer by layer, and why it waits')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(
      option(
        '--topology <file>',
        "layers of a SCALE-Sim topology (.csv), in a network's place",
      ).conflicts('model'),
    )
    .addOption(
      option('--accelerator <accelerator>', 'a preset or a file').default(DEFAULT_ACCELERATOR),
    )
    .addOption(
      option(
        '--config <file>',
        "a SCALE-Sim configuration (.cfg), in an accelerator's place",
      ).conflicts('accelerator'),
    )
    .addOption(
      choice(
        '--bandwidth-model <model>',
        'how the array waits at finite bandwidth (default: double-buffer)',
        BANDWIDTH_MODELS,
      ),
    )
    .addOption(
      option('--bandwidth <words>', 'words a cycle: for all, or input,weights,output').argParser(
        list,
      ),
    )
    .addOption(
      option('--buffers <sizes>', 'SRAM sizes (64KiB): of all, or input,weights,output').argParser(
        list,
      ),
    )
    .addOption(
      option(
        '--energy <table>',
        'energy of an access: accelergy-65nm or a file (default: as the accelerator says)',
      ),
    )
    .action(timing);
  return addCommonOptions(addMemoryLimit(command));
}

function timing(flags: TimingFlags): void {
  const workload = workloadOf(flags);
  const accelerator = acceleratorOf(flags);
  const { array, energyTable } = accelerator;
  const memory = memorySystem(accelerator, workload, flags.bandwidthModel);
  const shapes = workload.layers.map(({ shape }) => shape);
  const result = networkTiming(shapes, array, memory);
  const vector =
    workload.network &&
    vectorTiming(workload.network, accelerator.vectorUnit ?? { lanes: array.columns });
  const energy = energyTable && energyOf(workload, accelerator, result, energyTable);
  const { topology, model, config } = flags;
  printResult(
    flags.json,
    {
      ...(topology === undefined ? { model } : { topology }),
      ...(config === undefined ? { accelerator: flags.accelerator } : { config }),
      bandwidthModel: memory?.model ?? 'ideal',
      layers: workload.layers.map(({ name }, index) => ({ name, ...result.layers[index] })),
      total: result.total,
      vector: vector ?? null,
      energy: energy ?? null,
    },
    () => describe(workload, accelerator, memory, result, vector, energy),
  );
}
