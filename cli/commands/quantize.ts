import { Command } from 'commander';
import { evaluateAccuracy, quantizeOnImages } from '../../campaign/index.js';
import { InputError, writeFileAtomic } from '../../core/index.js';
import {
  type CalibrationOptions,
  loadCifar10,
  resolveModel,
  weightedLayers,
  writeQdq,
} from '../../models/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  dataOption,
  option,
  requireImages,
  wholeNumber,
} from '../options.js';
import { printResult } from '../output.js';
import { showProgress } from '../progress.js';
import { percent } from '../table.js';

interface QuantizeFlags extends CommonOptions {
  readonly output: string;
  readonly calibration: CalibrationOptions['method'];
  readonly percentile: number;
  readonly calibrationImages: number;
  readonly images: number;
  readonly data?: string;
}

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description('Post-training quantisation to int8, as QDQ ONNX')
    .argument('<model>', 'float32 ONNX file')
    .addOption(option('--output <file>', 'ONNX file to write').makeOptionMandatory())
    .addOption(
      choice('--calibration <method>', 'ranges of the activations', [
        'min-max',
        'percentile',
      ]).default('min-max'),
    )
    .addOption(
      option('--percentile <p>', 'share of values within the range, in %')
        .default(99.99)
        .argParser(Number),
    )
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
  return addCommonOptions(command);
}

function quantize(model: string, flags: QuantizeFlags): void {
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
  const calibrating = showProgress('calibration images', flags.quiet ?? false);
  const quantized = quantizeOnImages(
    network,
    training,
    flags.calibrationImages,
    { method: flags.calibration, percentile: flags.percentile },
    calibrating.listener,
  );
  calibrating.stop();
  writeFileAtomic(flags.output, writeQdq(quantized));
  const evaluating = showProgress('test images', flags.quiet ?? false);
  const accuracy = {
    float32: evaluateAccuracy(network, test, flags.images, evaluating.listener),
    int8: evaluateAccuracy(quantized, test, flags.images, evaluating.listener),
  };
  evaluating.stop();
  const layers = weightedLayers(quantized).map(({ name, shape, output }) => ({
    name,
    channels: shape.output.channels,
    output: quantized.tensors[output].quantization,
  }));
  printResult(
    flags.json,
    { model, output: flags.output, images: flags.images, layers, accuracy },
    () =>
      `${flags.output}: accuracy ${percent(accuracy.float32)} % in float32, ${percent(accuracy.int8)} % in int8 (${flags.images} test images)`,
  );
}
