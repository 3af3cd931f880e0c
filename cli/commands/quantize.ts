import { Command } from 'commander';
import {
  cifar10Inputs,
  evaluateAccuracy,
  type LayerNoise,
  measureNoise,
  quantizeOnImages,
} from '../../campaign/index.js';
import {
  InputError,
  type ProgressListener,
  requireSafeOutputs,
  sha256Hex,
  writeFileAtomic,
} from '../../core/index.js';
import {
  arrayLayers,
  CALIBRATION_METHODS,
  type CalibrationMethod,
  type Int8Network,
  loadCifar10,
  resolveModel,
  type SignalAndNoise,
  signalToNoise,
  WEIGHT_GRANULARITIES,
  type WeightGranularity,
  writeQdq,
  writeQOperator,
} from '../../models/index.js';
import { modelFile } from '../input/input-files.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  dataOption,
  decimalWhere,
  option,
  requireImages,
  wholeNumber,
} from '../input/options.js';
import { printResult } from '../print/output.js';
import { showProgress } from '../print/progress.js';
import { formatTable, percent } from '../print/table.js';

const WRITERS = { qdq: writeQdq, qoperator: writeQOperator };

interface QuantizeFlags extends CommonOptions {
  readonly output: string;
  readonly outputFormat: keyof typeof WRITERS;
  readonly calibration: CalibrationMethod;
  readonly percentile?: number;
  readonly weights: WeightGranularity;
  readonly biasCorrection?: boolean;
  readonly calibrationImages: number;
  readonly images: number;
  readonly data?: string;
}

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description('Post-training quantisation to int8, as ONNX')
    .argument('<model>', 'float32 ONNX file')
    .addOption(option('-o, --output <file>', 'ONNX file to write').makeOptionMandatory())
    .addOption(
      choice('--output-format <format>', 'form of the file', Object.keys(WRITERS)).default('qdq'),
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
      option('--calibration-images <n>', 'training images to calibrate on')
        .default(1000)
        .argParser(wholeNumber(1)),
    )
    .addOption(
      option('--images <n>', 'test images to measure accuracy on')
        .default(1000)
        .argParser(wholeNumber(1)),
    )
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
  const { output, outputFormat, weights, biasCorrection = false, json } = flags;
  if (flags.percentile !== undefined && flags.calibration !== 'percentile') {
    throw new InputError(
      `--percentile ${flags.percentile} has no effect with --calibration ${flags.calibration}: choose --calibration percentile`,
    );
  }
  requireSafeOutputs([['--output', output]], [modelFile(model)]);
  const network = resolveModel(model);
  if (network.format === 'int8') throw new InputError(`${model} is quantised already`);
  const training = loadCifar10({
    folder: flags.data,
    split: 'train',
    limit: flags.calibrationImages,
  });
  const test = loadCifar10({ folder: flags.data, split: 'test', limit: flags.images });
  requireImages('--calibration-images', flags.calibrationImages, training, 'training');
  requireImages('--images', flags.images, test, 'test');
  const inputs = cifar10Inputs(network, training, training.count);
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
  const quantized = withProgress('calibration inferences', (listener) =>
    quantizeOnImages(network, inputs, { calibration, weights, biasCorrection }, listener),
  );
  const file = WRITERS[outputFormat](quantized);
  writeFileAtomic(output, file);
  const noise = withProgress('calibration images compared', (listener) =>
    measureNoise(network, quantized, inputs, listener),
  );
  const accuracy = withProgress('test images', (listener) => ({
    float32: evaluateAccuracy(network, test, flags.images, listener),
    int8: evaluateAccuracy(quantized, test, flags.images, listener),
  }));
  printResult(
    json,
    {
      model,
      output,
      outputFormat,
      checksum: sha256Hex(file),
      calibration: { ...calibration, images: training.count },
      weights,
      biasCorrection,
      images: flags.images,
      layers: describeLayers(quantized, noise),
      accuracy,
    },
    () =>
      `${noiseTable(noise)}\n\n${output}: accuracy ${percent(accuracy.float32)} % in float32, ${percent(accuracy.int8)} % in int8 (${flags.images} test images)`,
  );
}

function describeLayers(quantized: Int8Network, noise: readonly LayerNoise[]): object[] {
  return arrayLayers(quantized).map(({ name, shape, output }, index) => ({
    name,
    channels: shape.output.channels,
    output: quantized.tensors[output].quantization,
    // In dB; JSON has no infinity, so that null stands for no noise (or no signal).
    signalToNoise: {
      weights: finite(signalToNoise(noise[index].weights)),
      output: finite(signalToNoise(noise[index].output)),
    },
  }));
}

function finite(value: number): number | null {
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
