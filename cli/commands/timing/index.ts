import { Command } from 'commander';
import {
  BANDWIDTH_MODEL_ALIASES,
  BANDWIDTH_MODELS,
  bandwidthModelOf,
  networkTiming,
  placeOnNamed,
  vectorTiming,
} from '../../../sim/index.js';
import { addMemoryLimit } from '../../input/memory-limit.js';
import {
  acceleratorOption,
  addCommonOptions,
  choice,
  inputOption,
  inputShapeOption,
  list,
  option,
} from '../../input/options.js';
import { tell } from '../../print/messages.js';
import { printResult } from '../../print/output.js';
import type { TimingFlags } from './flags.js';
import { describe } from './tables.js';
import { acceleratorOf, energyOf, islandsOf, memorySystem, workloadOf } from './workload.js';

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
    .addOption(inputShapeOption())
    .addOption(inputOption('samples whose sizes are taken where the model leaves them open'))
    .addOption(acceleratorOption())
    .addOption(
      option(
        '--config <file>',
        "a configuration of SCALE-Sim v2 or v3 (.cfg), in an accelerator's place",
      ).conflicts('accelerator'),
    )
    .addOption(
      choice(
        '--bandwidth-model <model>',
        'how the array waits at finite bandwidth; scalesim is scalesim-v2 (default: double-buffer)',
        [...BANDWIDTH_MODELS, ...Object.keys(BANDWIDTH_MODEL_ALIASES)],
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
  const accelerator = acceleratorOf(flags);
  const workload = workloadOf(flags, accelerator);
  const { array, energyTable, warnings = [] } = accelerator;
  const { bandwidthModel } = flags;
  const wanted = bandwidthModel === undefined ? undefined : bandwidthModelOf(bandwidthModel);
  const memory = memorySystem(accelerator, workload, wanted);
  const shapes = workload.layers.map(({ shape }) => shape);
  const result = networkTiming(shapes, array, memory);
  const vector =
    workload.network &&
    vectorTiming(workload.network, accelerator.vectorUnit ?? { lanes: array.columns });
  const energy =
    energyTable &&
    placeOnNamed(flags.config ?? flags.accelerator, () =>
      energyOf(workload, accelerator, result, energyTable),
    );
  const { topology, model, config } = flags;
  for (const warning of warnings) tell(`warning: ${warning}`);
  printResult(
    flags.json,
    {
      ...(topology === undefined ? { model } : { topology }),
      ...(config === undefined ? { accelerator: flags.accelerator } : { config }),
      bandwidthModel: memory?.model ?? 'ideal',
      layers: workload.layers.map(({ name }, index) => ({ name, ...result.layers[index] })),
      total: result.total,
      vector: vector ?? null,
      notTimed: islandsOf(workload.network).map(({ name, reasons }) => ({
        name,
        nodes: reasons.map(({ node }) => node),
      })),
      energy: energy ?? null,
      warnings,
    },
    () => describe(workload, accelerator, memory, result, vector, energy),
  );
}
