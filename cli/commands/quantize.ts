import { Command } from 'commander';
import {
  cifar10Workload,
  compareAnswers,
  dataShapesOf,
  givenWorkload,
  type LayerNoise,
  loadSamples,
  measureNoise,
  type QuantizedAnswers,
  quantizeFile,
  requireCifar10Network,
  workloadSamples,
} from '../../campaign/index.js';
import {
  InputError,
  type ProgressListener,
  requireSafeOutputs,
  sha256Hex,
  writeFileAtomic,
} from '../../core/index.js';
import {
  ACTIVATION_TYPES,
  type ActivationType,
  arrayLayers,
  CALIBRATION_METHODS,
  type CalibrationMethod,
  type Float32Graph,
  type Float32Network,
  type Int8Network,
  loadCifar10,
  modelFile as networkFile,
  readGraph,
  type SignalAndNoise,
  signalToNoise,
  WEIGHT_GRANULARITIES,
  type WeightGranularity,
  writeQOperator,
} from '../../models/index.js';
import type { InputFile, Workload } from '../../workload/index.js';
import { modelFile } from '../input/input-files.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  dataOption,
  decimalWhere,
  filesOption,
  inputOption,
  inputShapeOption,
  option,
  requireImages,
  seedOption,
  wholeNumber,
} from '../input/options.js';
import { printResult } from '../print/output.js';
import { showProgress } from '../print/progress.js';
import { formatTable, percent } from '../print/table.js';

const OUTPUT_FORMATS = ['qdq', 'qoperator'] as const;

/** Training images of CIFAR-10 to calibrate on, and test images to measure on. */
const PRESET_IMAGES = 1000;

interface QuantizeFlags extends CommonOptions {
  readonly output: string;
  readonly outputFormat: (typeof OUTPUT_FORMATS)[number];
  readonly calibration: CalibrationMethod;
  readonly percentile?: number;
  readonly weights: WeightGranularity;
  readonly biasCorrection?: boolean;
  readonly activations: ActivationType;
  readonly calibrationData?: readonly InputFile[];
  readonly calibrationImages?: number;
  readonly images?: number;
  readonly input?: readonly InputFile[];
  readonly inputShape?: ReadonlyMap<string, readonly number[]>;
  readonly seed: number;
  readonly data?: string;
}

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description('Post-training quantisation to int8, as ONNX')
    .argument('<model>', 'float32 ONNX file')
    .addOption(option('-o, --output <file>', 'ONNX file to write').makeOptionMandatory())
    .addOption(
      choice('--output-format <format>', 'form of the file', OUTPUT_FORMATS).default('qdq'),
    )
    .addOption(
      choice('--calibration <method>', 'ranges of the activations', CALIBRATION_METHODS).default(
        'min-max',
      ),
    )
    .addOption(
      option(
        '--percentile <p>',
        'share of values within the range, in % (default: 99.99)',
      ).argParser(percentile),
    )
    .addOption(
      choice('--weights <granularity>', 'scales of the weights', WEIGHT_GRANULARITIES).default(
        'per-channel',
      ),
    )
    .addOption(option('--bias-correction', 'make up for the mean shift of each output channel'))
    .addOption(
      choice('--activations <type>', 'integers of the activations', ACTIVATION_TYPES).default(
        'uint8',
      ),
    )
    .addOption(
      filesOption(
        '--calibration-data <file>',
        'samples as .npy to calibrate on (default: training images, or a tenth of --input, drawn by the seed, on which nothing is measured)',
      ),
    )
    .addOption(
      option(
        '--calibration-images <n>',
        `samples to calibrate on, at most (default: ${PRESET_IMAGES})`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(inputOption('samples as .npy to measure on, instead of test images'))
    .addOption(inputShapeOption())
    .addOption(
      option(
        '--images <n>',
        `samples to measure on (default: ${PRESET_IMAGES} test images, or all of --input)`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(seedOption())
    .addOption(dataOption())
    .action(quantize);
  return addCommonOptions(addMemoryLimit(addKernels(command)));
}

function percentile(text: string): number {
  return decimalWhere(
    text,
    (value) => value > 50 && value <= 100,
    `The percentile ${text} is not above 50 and at most 100.`,
  );
}

function quantize(model: string, flags: QuantizeFlags): void {
  const { output, outputFormat, weights, activations, biasCorrection = false, json } = flags;
  if (flags.percentile !== undefined && flags.calibration !== 'percentile') {
    throw new InputError(
      `--percentile ${flags.percentile} has no effect with --calibration ${flags.calibration}: choose --calibration percentile`,
    );
  }
  const given = [...(flags.input ?? []), ...(flags.calibrationData ?? [])];
  requireSafeOutputs([['--output', output]], [modelFile(model), ...given.map(({ file }) => file)]);
  const graph = float32Graph(model, flags);
  const { network } = graph;
  const { calibrating, measured } = samplesOf(network, flags);
  const inputs = workloadSamples(calibrating, calibrating.samples);
  const withProgress = <T>(what: string, work: (listener: ProgressListener) => T): T => {
    const progress = showProgress(what, flags.quiet ?? false);
    try {
      return work(progress.listener);
    } finally {
      progress.stop();
    }
  };

  const calibration = {
    method: flags.calibration,
    ...(flags.calibration === 'percentile' && { percentile: flags.percentile ?? 99.99 }),
  };
  const options = { calibration, weights, activations, biasCorrection };
  const quantized = withProgress('calibration inferences', (listener) =>
    quantizeFile(graph, inputs, options, listener),
  );
  const file = outputFormat === 'qdq' ? quantized.file : writeQOperator(quantized.network);
  writeFileAtomic(output, file);
  const noise = withProgress('calibration images compared', (listener) =>
    measureNoise(network, quantized.network, inputs, listener),
  );
  const answers =
    measured &&
    withProgress(flags.input ? 'samples' : 'test images', (listener) =>
      compareAnswers(network, quantized.network, measured, measured.samples, listener),
    );
  printResult(
    json,
    {
      ...{ model, output, outputFormat },
      checksum: sha256Hex(file),
      calibration: { ...calibration, images: calibrating.samples, data: calibrating.name },
      ...{ weights, activations, biasCorrection },
      seed: flags.seed,
      images: answers?.samples ?? 0,
      layers: describeLayers(quantized.network, noise),
      inFloat32: inFloat32(quantized.network),
      metric: answers?.metric ?? null,
      accuracy: answers ? { float32: answers.float32, int8: answers.int8 } : null,
    },
    () =>
      [
        noiseTable(noise),
        '',
        ...float32Text(quantized.network),
        `${output}: ${answers ? answersText(answers, flags) : 'measured on nothing; give --input FILE'}`,
      ].join('\n'),
  );
}

/** @throws InputError when the network is quantised already */
function float32Graph(
  model: string,
  { input = [], calibrationData = [], inputShape }: QuantizeFlags,
) {
  const graph = readGraph(networkFile(model), {
    inputShapes: inputShape,
    dataShapes: dataShapesOf([...input, ...calibrationData]),
  });
  if (graph.network.format === 'int8') throw new InputError(`${model} is quantised already`);
  return graph as Float32Graph;
}

/** What ranges are taken from, and what is measured on; undefined: nothing. */
interface QuantizeSamples {
  readonly calibrating: Workload;
  readonly measured: Workload | undefined;
}

function samplesOf(network: Float32Network, flags: QuantizeFlags): QuantizeSamples {
  const { input, calibrationData, data, seed } = flags;
  if (data !== undefined && input) {
    throw new InputError('--data and --input say both what to measure on; give one of them');
  }
  if (!input && !calibrationData) return cifar10Samples(network, flags);
  if (!calibrationData) {
    const { workload, profile } = loadSamples([network], { inputs: input }, seed, true);
    const calibrating = 'calibration' in profile ? profile.calibration : undefined;
    if (!calibrating) {
      throw new InputError(
        `--input ${workload.name} holds one sample, which cannot be calibrated and measured on; give --calibration-data FILE`,
      );
    }
    return {
      calibrating: atMost(calibrating, '--calibration-images', flags.calibrationImages),
      measured: atMost(workload, '--images', flags.images),
    };
  }
  return {
    calibrating: atMost(
      givenWorkload([network], calibrationData),
      '--calibration-images',
      flags.calibrationImages,
    ),
    measured: input && atMost(givenWorkload([network], input), '--images', flags.images),
  };
}

function cifar10Samples(network: Float32Network, flags: QuantizeFlags): QuantizeSamples {
  requireCifar10Network(network);
  const { data: folder, calibrationImages = PRESET_IMAGES, images = PRESET_IMAGES } = flags;
  const training = loadCifar10({ folder, split: 'train', limit: calibrationImages });
  const test = loadCifar10({ folder, split: 'test', limit: images });
  requireImages('--calibration-images', calibrationImages, training, 'training');
  requireImages('--images', images, test, 'test');
  return { calibrating: cifar10Workload(training), measured: cifar10Workload(test) };
}

/** The first samples, as many as are wanted. */
function atMost(workload: Workload, flag: string, wanted = workload.samples): Workload {
  if (wanted <= workload.samples) return { ...workload, samples: wanted };
  throw new InputError(
    `${flag} ${wanted}: ${workload.name} has ${workload.samples} samples for that`,
  );
}

function answersText({ metric, samples, float32, int8 }: QuantizedAnswers, flags: QuantizeFlags) {
  const what = flags.input ? 'samples' : 'test images';
  return metric === 'accuracy'
    ? `accuracy ${percent(float32)} % in float32, ${percent(int8)} % in int8 (${samples} ${what})`
    : `agreement ${percent(int8)} % of int8 with float32 (${samples} ${what} without labels)`;
}

/** The layers that stay in float32. */
function inFloat32({ tensors, layers }: Int8Network): { name: string; kind: string }[] {
  return layers
    .filter(({ kind, output }) => !FREE_KINDS.has(kind) && !tensors[output].quantization)
    .map(({ name, kind }) => ({ name, kind }));
}

/** What only moves or converts values, or holds them. */
const FREE_KINDS: ReadonlySet<string> = new Set([
  ...['dequantize', 'flatten', 'part', 'stored-weights', 'transpose', 'convolution'],
  'fully-connected',
]);

function float32Text(network: Int8Network): string[] {
  const layers = inFloat32(network);
  if (layers.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { kind } of layers) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const shown = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return [`in float32: ${shown}`];
}

function describeLayers(quantized: Int8Network, noise: readonly LayerNoise[]): object[] {
  const byName = new Map(noise.map((layer) => [layer.name, layer]));
  return arrayLayers(quantized).map(({ name, shape, output }) => ({
    name,
    channels: shape.output.channels,
    output: quantized.tensors[output].quantization ?? null,
    signalToNoise: {
      weights: decibelsOf(byName.get(name)?.weights),
      output: decibelsOf(byName.get(name)?.output),
    },
  }));
}

/** In dB; JSON has no infinity, so that null stands for no noise (or no signal), and for a layer of another name before. */
function decibelsOf(energies: SignalAndNoise | undefined): number | null {
  const value = energies ? signalToNoise(energies) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

function noiseTable(noise: readonly LayerNoise[]): string {
  const decibels = (energies: SignalAndNoise) => {
    const ratio = signalToNoise(energies);
    return Number.isFinite(ratio) ? ratio.toFixed(1) : 'none';
  };
  return formatTable(
    ['layer', 'weight SQNR [dB]', 'output SQNR [dB]'],
    noise.map(({ name, weights, output }) => [name, decibels(weights), decibels(output)]),
  );
}
