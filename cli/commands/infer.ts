import { Command } from 'commander';
import { inferImages } from '../../campaign/index.js';
import { readFloat32Npy, writeNpy } from '../../core/index.js';
import type { ClipPosition, Mitigation } from '../../mitigation/index.js';
import type { WordFormat } from '../../models/index.js';
import { DEFAULT_ACCELERATOR, type Placement } from '../../sim/index.js';
import { addMemoryLimit } from '../memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  clipPositionOption,
  option,
} from '../options.js';
import { printResult } from '../output.js';
import { showProgress } from '../progress.js';

interface InferFlags extends CommonOptions {
  readonly input: string;
  readonly output: string;
  readonly format: WordFormat;
  readonly faultMap?: string;
  readonly thresholds?: string;
  readonly mitigation?: Mitigation;
  readonly clipPosition: ClipPosition;
  readonly placement: Placement['kind'];
  readonly accelerator: string;
}

export function inferCommand(): Command {
  const command = new Command('infer')
    .description('Run images through a network on the simulated accelerator')
    .argument('<model>', 'alexnet, vgg16 or an ONNX file')
    .addOption(
      option(
        '--input <file>',
        '.npy, float32, images × channels × height × width, normalised',
      ).makeOptionMandatory(),
    )
    .addOption(option('--output <file>', '.npy for the outputs, float32').makeOptionMandatory())
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default('int8'))
    .addOption(option('--fault-map <file>', 'fault map of the weight memory'))
    .addOption(option('--thresholds <file>', 'clip activations at these thresholds'))
    .addOption(
      choice('--mitigation <name>', 'what the thresholds do (default: clip)', [
        'none',
        'clip',
        'clamp',
        'clip-tuned',
      ]),
    )
    .addOption(clipPositionOption())
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        'resident',
      ),
    )
    .addOption(
      option('--accelerator <accelerator>', 'a preset or a file').default(DEFAULT_ACCELERATOR),
    )
    .action(infer);
  return addCommonOptions(addMemoryLimit(command));
}

function infer(model: string, flags: InferFlags): void {
  const { input, output, json, quiet, ...options } = flags;
  const mitigation = options.mitigation ?? (options.thresholds === undefined ? 'none' : 'clip');
  const progress = showProgress('images', quiet ?? false);
  const { outputs, images, seconds } = inferImages(
    { ...options, model, mitigation },
    readFloat32Npy(input),
    input,
    progress.listener,
  );
  progress.stop();
  writeNpy(output, outputs);
  const speed = images / seconds;
  printResult(
    json,
    { model, format: options.format, mitigation, images, seconds, output },
    () =>
      `${output}: ${images} outputs in ${seconds.toFixed(2)} s (${speed.toFixed(0)} images a second)`,
  );
}
