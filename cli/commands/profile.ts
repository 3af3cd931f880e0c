import { statSync } from 'node:fs';
import { Command } from 'commander';
import {
  loadNetwork,
  type NetworkDistributions,
  PROFILE_IMAGES,
  profileDistributions,
  profileThresholds,
  TUNING_RATES,
} from '../../campaign/index.js';
import { InputError, requireSafeOutputs, writeFileAtomic } from '../../core/index.js';
import type { UniformFaults } from '../../fault/index.js';
import {
  GRANULARITIES,
  type Granularity,
  readThresholds,
  type Thresholds,
  writeThresholds,
} from '../../mitigation/index.js';
import { type ImageSet, loadCifar10, type Network, resolveModel } from '../../models/index.js';
import { modelFile } from '../input/input-files.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  dataOption,
  option,
  rateList,
  requireImages,
  seedOption,
  wholeNumber,
} from '../input/options.js';
import { printResult } from '../print/output.js';
import { unfusedOf, warnOfUnfused } from '../print/unfused.js';

interface ProfileFlags extends CommonOptions {
  readonly model: string;
  readonly output: string;
  readonly images: number;
  readonly granularity?: Granularity;
  readonly distributions?: string;
  readonly rates?: readonly number[];
  readonly faults: UniformFaults;
  readonly seed: number;
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
    .addOption(
      choice(
        '--granularity <kind>',
        'what shares a threshold (default: channel for int8 words, layer for float32 words)',
        GRANULARITIES,
      ),
    )
    .addOption(
      option(
        '--distributions <file>',
        'JSON to write: maxima of channels and neurons, percentiles and histograms, clean and under faults',
      ),
    )
    .addOption(option('--rates <rates>', 'fault rates of the distributions').argParser(rateList))
    .addOption(
      choice('--faults <kind>', 'faults of the distributions', [
        'stuck-at-0',
        'stuck-at-1',
        'stuck-at',
        'flip',
      ]).default('flip'),
    )
    .addOption(seedOption())
    .addOption(dataOption())
    .action(profile);
  return addCommonOptions(addMemoryLimit(addKernels(command)));
}

function profile(flags: ProfileFlags): void {
  const { model, output, images, granularity, distributions, data, json } = flags;
  requireNothingTuned(output);
  const outputs = [['--output', output] as const, ['--distributions', distributions] as const];
  requireSafeOutputs(outputs, [modelFile(model)]);
  const formats =
    resolveModel(model).format === 'int8' ? (['int8', 'float32'] as const) : (['float32'] as const);
  const networks = formats.map((format) => loadNetwork(model, format));
  warnOfUnfused(networks);
  const training = loadCifar10({ folder: data, split: 'train', limit: images });
  requireImages('--images', images, training, 'training');
  const thresholds = profileThresholds(networks, training, images, granularity);
  writeThresholds(output, thresholds);
  if (distributions !== undefined) writeDistributions(distributions, networks, training, flags);
  const layers = Object.keys(thresholds.float32 ?? {});
  const written = distributions === undefined ? {} : { distributions, seed: flags.seed };
  const unfused = networks.flatMap(unfusedOf);
  printResult(json, { model, output, images, granularity, layers, unfused, ...written }, () =>
    [
      `${output}: thresholds of ${layers.length} layers${granularity ? ` for each ${granularity}` : ''} from ${images} training images`,
      ...(distributions === undefined
        ? []
        : [`${distributions}: distributions, seed ${flags.seed}`]),
    ].join('\n'),
  );
}

/** @throws InputError when the file holds what a search found, which would be lost */
function requireNothingTuned(output: string): void {
  if (!statSync(output, { throwIfNoEntry: false })?.isFile()) return;
  let found: Thresholds;
  try {
    found = readThresholds(output);
  } catch (error) {
    if (error instanceof InputError) return;
    throw error;
  }
  if (found.tuned) {
    throw new InputError(
      `${output} holds thresholds that a search found: choose another file, or remove it`,
    );
  }
}

function writeDistributions(
  file: string,
  networks: readonly Network[],
  training: ImageSet,
  { images, faults, seed, rates }: ProfileFlags,
): void {
  const [{ name, checksum }] = networks;
  const byFormat: Record<string, NetworkDistributions[]> = {};
  for (const network of networks) {
    byFormat[network.format] = profileDistributions(network, training, images, {
      ...{ faults, seed },
      rates: rates ?? TUNING_RATES[network.format],
    });
  }
  const content = {
    format: 'bitcell-distributions',
    version: 1,
    network: { name, checksum },
    ...{ images, faults, seed },
    ...byFormat,
  };
  writeFileAtomic(file, `${JSON.stringify(content)}\n`);
}
