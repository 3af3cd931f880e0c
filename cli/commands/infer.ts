import { Command } from 'commander';
import { inferImages } from '../../campaign/index.js';
import { readFloat32Npy, requireSafeOutputs, writeNpy } from '../../core/index.js';
import { faultMapFiles } from '../../fault/index.js';
import { kernelsInUse } from '../../kernels/index.js';
import {
  type ClipPosition,
  type Mitigation,
  NO_MITIGATION,
  parseMitigation,
} from '../../mitigation/index.js';
import type { WordFormat } from '../../models/index.js';
import { acceleratorFile, type Placement } from '../../sim/index.js';
import { modelFile } from '../input/input-files.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  acceleratorOption,
  addCommonOptions,
  type CommonOptions,
  choice,
  clipPositionOption,
  mitigationOption,
  once,
  option,
  threadsOption,
} from '../input/options.js';
import { reportRestart } from '../interruption.js';
import { tell } from '../print/messages.js';
import { printResult } from '../print/output.js';
import { showProgress } from '../print/progress.js';
import { grouped } from '../print/table.js';
import { unfusedOf, warnOfUnfused } from '../print/unfused.js';
import { addMeasuredOptions, type MeasuredFlags, measuredMapOf } from './map/measured-options.js';

interface InferFlags extends CommonOptions, MeasuredFlags {
  readonly input: string;
  readonly output: string;
  readonly format: WordFormat;
  readonly faultMap?: string;
  readonly thresholds?: string;
  readonly mitigation?: Mitigation;
  readonly clipPosition: ClipPosition;
  readonly placement: Placement['kind'];
  readonly accelerator: string;
  readonly threads: number;
}

export function inferCommand(): Command {
  const command = new Command('infer')
    .description('Run images through a network on the simulated accelerator')
    .argument('<model>', 'alexnet, vgg16 or an ONNX file')
    .addOption(
      option('--input <file>', '.npy, float32, images × channels × height × width, normalised')
        .argParser(once)
        .makeOptionMandatory(),
    )
    .addOption(option('--output <file>', '.npy for the outputs, float32').makeOptionMandatory())
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default('int8'))
    .addOption(option('--fault-map <file>', 'fault map of the weight memory').argParser(once))
    .addOption(
      option('--thresholds <file>', 'clip activations at these thresholds').argParser(once),
    )
    .addOption(
      mitigationOption(
        'what protects the network, such as none, clamp or clip:layers=conv1/fc2 (default: clip where there are thresholds)',
      ),
    )
    .addOption(clipPositionOption())
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        'resident',
      ),
    )
    .addOption(acceleratorOption())
    .addOption(threadsOption())
    .action(infer);
  return addCommonOptions(addMeasuredOptions(addMemoryLimit(addKernels(command))));
}

async function infer(model: string, flags: InferFlags, command: Command): Promise<void> {
  const { input, output, json, quiet, ...options } = flags;
  const { faultMap, thresholds, accelerator } = options;
  requireSafeOutputs(
    [['--output', output]],
    [
      ...[modelFile(model), input, thresholds, acceleratorFile(accelerator)],
      ...(faultMap === undefined ? [] : faultMapFiles(faultMap)),
    ],
  );
  const mapOptions = measuredMapOf(flags, command);
  const mitigation =
    options.mitigation ??
    (options.thresholds === undefined ? NO_MITIGATION : parseMitigation('clip'));
  const values = readFloat32Npy(input);
  const nonFiniteInputs = countNonFinite(values.data);
  if (nonFiniteInputs > 0) {
    tell(
      `warning: ${input} holds ${grouped(nonFiniteInputs)} of ${grouped(values.data.length)} values as NaN or infinity; outputs of their images may mean nothing.`,
    );
  }
  const progress = showProgress('images', quiet ?? false);
  const { outputs, images, seconds, network } = await inferImages(
    { ...options, model, mitigation, mapOptions, onRestart: reportRestart },
    values,
    input,
    progress.listener,
  );
  progress.stop();
  warnOfUnfused([network]);
  writeNpy(output, outputs);
  const speed = images / seconds;
  printResult(
    json,
    {
      ...{
        model,
        format: options.format,
        mitigation: mitigation.name,
        images,
        nonFiniteInputs,
        seconds,
        output,
      },
      kernels: kernelsInUse(),
      unfused: unfusedOf(network),
    },
    () =>
      `${output}: ${images} outputs in ${seconds.toFixed(2)} s (${speed.toFixed(0)} images a second)`,
  );
}

function countNonFinite(values: Float32Array): number {
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count += 1;
  return count;
}
