import type { Command } from 'commander';
import { DEFAULT_TUNING, FAULTY } from '../../campaign/index.js';
import { addKernels } from './kernels.js';
import { addMemoryLimit } from './memory-limit.js';
import {
  acceleratorOption,
  addCommonOptions,
  type CommonOptions,
  choice,
  dataOption,
  option,
  rateList,
  seedOption,
  threadsOption,
} from './options.js';

/** What every command that scores thresholds takes besides the fields of a tuning. */
export interface TuningFlags extends CommonOptions {
  readonly thresholds?: string;
  readonly data?: string;
  readonly threads: number;
  readonly out?: string;
  readonly resume?: boolean;
}

/** Add what a search for thresholds and a sweep over them have in common. */
export function addTuningOptions(command: Command): Command {
  const { model, format, faults, faulty, placement, accelerator } =
    DEFAULT_TUNING['interval-search'];
  command
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default(model))
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default(format))
    .addOption(
      option('--rates <rates>', 'fault rates, above 0 (default: by word format)').argParser(
        rateList,
      ),
    )
    .addOption(
      option('--faults <kind>', 'stuck-at-0, stuck-at-1, stuck-at or flip').default(faults),
    )
    .addOption(
      choice(
        '--faulty <weights>',
        "which weights are faulty while a layer's thresholds are scored",
        FAULTY,
      ).default(faulty),
    )
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        placement,
      ),
    )
    .addOption(acceleratorOption(accelerator))
    .addOption(
      option('--thresholds <file>', 'profile to begin with (default: the zoo, or made now)'),
    )
    .addOption(seedOption())
    .addOption(dataOption())
    .addOption(threadsOption())
    .addOption(option('--out <folder>', 'keep there what has been found out so far'))
    .addOption(option('--resume', 'continue what the folder holds, if anything'));
  return addCommonOptions(addMemoryLimit(addKernels(command)));
}

/** The options that are fields of a tuning. */
export function tuningFields(
  flags: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = new Set([...Object.values(DEFAULT_TUNING).flatMap(Object.keys), 'rates']);
  return Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => names.has(name) && value !== undefined),
  );
}
