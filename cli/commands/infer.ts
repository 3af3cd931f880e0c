import { Command } from 'commander';
import { type InputArray, inferImages } from '../../campaign/index.js';
import {
  InputError,
  readFloat32Npy,
  requireSafeOutputs,
  writeFileAtomic,
} from '../../core/index.js';
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
import type { InputFile } from '../../workload/index.js';
import { modelFile } from '../input/input-files.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  acceleratorOption,
  addCommonOptions,
  type CommonOptions,
  choice,
  clipPositionOption,
  inputOption,
  inputShapeOption,
  mitigationOption,
  once,
  option,
  threadsOption,
} from '../input/options.js';
import { reportRestart } from '../interruption.js';
import { fileOutputs } from '../output-files.js';
import { tell } from '../print/messages.js';
import { printResult } from '../print/output.js';
import { showProgress } from '../print/progress.js';
import { grouped } from '../print/table.js';
import { unfusedOf, warnOfUnfused } from '../print/unfused.js';
import { addMeasuredOptions, type MeasuredFlags, measuredMapOf } from './map/measured-options.js';

interface InferFlags extends CommonOptions, MeasuredFlags {
  readonly input: readonly InputFile[];
  readonly inputShape?: ReadonlyMap<string, readonly number[]>;
  readonly output?: string;
  readonly outputDir?: string;
  readonly format?: WordFormat;
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
    .description('Run samples through a network on the simulated accelerator')
    .argument('<model>', 'alexnet, vgg16 or an ONNX file')
    .addOption(inputOption().makeOptionMandatory())
    .addOption(inputShapeOption())
    .addOption(option('--output <file>', '.npy for the outputs; of several, for the first'))
    .addOption(option('--output-dir <folder>', 'folder for a .npy of each output, by its name'))
    .addOption(
      choice('--format <format>', 'word format (default: what the file has)', ['int8', 'float32']),
    )
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
  const { input, inputShape, output, outputDir, json, quiet, ...options } = flags;
  const { faultMap, thresholds, accelerator } = options;
  if (output === undefined && outputDir === undefined) {
    throw new InputError('give --output FILE or --output-dir FOLDER for what the network makes');
  }
  const read = [
    ...[modelFile(model), thresholds, acceleratorFile(accelerator)],
    ...input.map(({ file }) => file),
    ...(faultMap === undefined ? [] : faultMapFiles(faultMap)),
  ];
  requireSafeOutputs([['--output', output]], read);
  const mapOptions = measuredMapOf(flags, command);
  const mitigation =
    options.mitigation ??
    (options.thresholds === undefined ? NO_MITIGATION : parseMitigation('clip'));
  const inputs = input.map((one) => ({ ...one, array: readFloat32Npy(one.file) }));
  const nonFiniteInputs = inputs.reduce((sum, one) => sum + warnOfNonFinite(one), 0);
  const progress = showProgress('images', quiet ?? false);
  const { outputs, images, seconds, network } = await inferImages(
    {
      ...options,
      model,
      inputShapes: inputShape,
      mitigation,
      mapOptions,
      onRestart: reportRestart,
    },
    inputs,
    progress.listener,
  );
  progress.stop();
  warnOfUnfused([network]);
  const written = fileOutputs(outputs, { output, outputDir, read });
  for (const { file, bytes } of written) writeFileAtomic(file, bytes);
  const speed = images / seconds;
  printResult(
    json,
    {
      ...{
        model,
        format: network.format,
        mitigation: mitigation.name,
        images,
        nonFiniteInputs,
        seconds,
        output: written[0].file,
      },
      outputs: written.map(({ name, elementType, shape, file }) => ({
        ...{ name, elementType, shape, file },
      })),
      kernels: kernelsInUse(),
      unfused: unfusedOf(network),
    },
    () =>
      `${written.map(({ file }) => file).join(', ')}: ${images} outputs in ${seconds.toFixed(2)} s (${speed.toFixed(0)} images a second)`,
  );
}

/** @returns how many values of an input are no finite numbers */
function warnOfNonFinite({ file, array: { data } }: InputArray): number {
  const count = countNonFinite(data);
  if (count > 0) {
    tell(
      `warning: ${file} holds ${grouped(count)} of ${grouped(data.length)} values as NaN or infinity; outputs of their images may mean nothing.`,
    );
  }
  return count;
}

function countNonFinite(values: Float32Array): number {
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count += 1;
  return count;
}
