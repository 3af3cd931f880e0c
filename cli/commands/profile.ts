import { Command } from 'commander';
import { loadNetwork, PROFILE_IMAGES, profileThresholds } from '../../campaign/index.js';
import { writeThresholds } from '../../mitigation/index.js';
import { loadCifar10, resolveModel } from '../../models/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  dataOption,
  option,
  requireImages,
  wholeNumber,
} from '../options.js';
import { printResult } from '../output.js';

interface ProfileFlags extends CommonOptions {
  readonly model: string;
  readonly output: string;
  readonly images: number;
  readonly data?: string;
}

export function profileCommand(): Command {
  const command = new Command('profile')
    .description('Clip thresholds from the largest activations on fault-free training images')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(option('--output <file>', 'thresholds to write').makeOptionMandatory())
    .addOption(
      option('--images <n>', 'training images').default(PROFILE_IMAGES).argParser(wholeNumber(1)),
    )
    .addOption(dataOption())
    .action(profile);
  return addCommonOptions(command);
}

function profile({ model, output, images, data, json }: ProfileFlags): void {
  const formats =
    resolveModel(model).format === 'int8' ? (['int8', 'float32'] as const) : (['float32'] as const);
  const networks = formats.map((format) => loadNetwork(model, format));
  const training = loadCifar10({ folder: data, split: 'train', limit: images });
  requireImages('--images', images, training, 'training');
  const thresholds = profileThresholds(networks, training, images);
  writeThresholds(output, thresholds);
  const layers = Object.keys(thresholds.float32 ?? {});
  printResult(
    json,
    { model, output, images, layers },
    () => `${output}: thresholds of ${layers.length} layers from ${images} training images`,
  );
}
