import { Command } from 'commander';
import {
  cifar10Workload,
  dataShapesOf,
  givenWorkload,
  loadNetwork,
  loadThresholds,
  type ProfileData,
  requireCifar10Network,
} from '../../campaign/index.js';
import type { CaseResult, FileVerifyOptions } from '../../campaign/verify/index.js';
import { BitcellError, InputError, MismatchError, readFileChecked } from '../../core/index.js';
import { kernelsInUse } from '../../kernels/index.js';
import {
  activationPartOf,
  activationSideOf,
  type Mitigation,
  memoryPartsOf,
  type ThresholdRequest,
  type Thresholds,
  thresholdsFor,
} from '../../mitigation/index.js';
import { loadCifar10, modelFile, type Network, readGraph } from '../../models/index.js';
import { loadAccelerator } from '../../sim/index.js';
import type { InputFile } from '../../workload/index.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  acceleratorOption,
  addCommonOptions,
  type CommonOptions,
  dataOption,
  inputOption,
  mitigationOption,
  option,
  requireImages,
  threadsOption,
  wholeNumber,
} from '../input/options.js';
import { printResult } from '../print/output.js';
import { showProgress } from '../print/progress.js';
import { counted } from '../print/study/study-table.js';
import { formatTable, grouped } from '../print/table.js';

/** Samples of the clean comparison. */
const DEFAULT_IMAGES = 1000;

interface VerifyFlags extends CommonOptions {
  readonly model: string;
  readonly images?: number;
  readonly thresholds?: string;
  readonly mitigation?: Mitigation;
  readonly accelerator: string;
  readonly data?: string;
  readonly input?: readonly InputFile[];
  readonly threads: number;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description(
      'Compare the simulated datapath with onnxruntime on the file as given, clean, faulted and clipped; int8 words bit for bit',
    )
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(
      option(
        '--images <n>',
        `samples of the clean comparison (default: ${DEFAULT_IMAGES}, or as many as there are)`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(option('--thresholds <file>', 'clip thresholds (default: the profile maxima)'))
    .addOption(
      mitigationOption('compare these clips, too, such as clamp:granularity=neuron:layers=conv1'),
    )
    .addOption(acceleratorOption())
    .addOption(dataOption())
    .addOption(inputOption())
    .addOption(threadsOption())
    .action(verify);
  return addCommonOptions(addMemoryLimit(addKernels(command)));
}

async function verify(flags: VerifyFlags): Promise<void> {
  const { model, threads, json } = flags;
  const sizes = { dataShapes: dataShapesOf(flags.input ?? []) };
  const graph = readGraph(modelFile(model), sizes);
  const { network } = graph;
  const read = (file: Uint8Array) => readGraph(file, { name: network.name, ...sizes });
  if (network.format !== 'int8') {
    await verifyFloat32(flags, { graph, read });
    return;
  }
  const { workload, images, profile } = samplesOf(network, flags);
  const { thresholds, where } = loadThresholds(model, [network], flags.thresholds, profile);
  // Loaded here, so that no other command waits for onnxruntime.
  const verification = await import('../../campaign/verify/index.js');
  const { describeMismatch, onnxruntimeOverflows, verifyNetwork } = verification;
  const overflows = await onnxruntimeOverflows();
  if (overflows) {
    process.stderr.write(
      "onnxruntime's uint8 × int8 products overflow on this processor: mismatches are to be expected\n",
    );
  }
  const progress = showProgress('images compared', flags.quiet ?? false);
  const accelerator = loadAccelerator(flags.accelerator);
  const int8Cases = await verifyNetwork({
    network,
    file: readFileChecked(modelFile(model)),
    graph,
    read,
    accelerator,
    thresholds: thresholdsFor(network, thresholds, where),
    tuned: thresholds.tuned?.int8 && thresholdsFor(network, thresholds, where, 'clip-tuned'),
    given: givenClip(network, flags, profile),
    workload,
    images,
    threads,
    onProgress: progress.listener,
  });
  progress.stop();
  const float32Cases = await verification.verifyFloat32Clips({
    ...{ accelerator, workload, images, threads },
    ...float32Clips(flags, thresholds, where, profile),
  });
  const cases = [...int8Cases, ...float32Cases];
  const result = { model, images, onnxruntimeOverflows: overflows, kernels: kernelsInUse(), cases };
  printResult(json, result, () => toText(cases));
  requireCompared(cases);
  const failed = cases.find(({ first }) => first !== undefined);
  if (failed?.first) throw new MismatchError(describeMismatch(failed.name, failed.first));
  const clipped = float32Cases.find(({ mismatches }) => mismatches > 0);
  if (clipped) {
    throw new MismatchError(
      `${clipped.name}: ${clipped.mismatches} of ${clipped.values} clipped values are not onnxruntime's`,
    );
  }
}

/** A file of float32 words, of which nothing is written anew. */
async function verifyFloat32(
  flags: VerifyFlags,
  file: Pick<FileVerifyOptions, 'graph' | 'read'>,
): Promise<void> {
  const { model, threads, json } = flags;
  for (const name of ['mitigation', 'thresholds'] as const) {
    if (flags[name] === undefined) continue;
    throw new InputError(
      `--${name}: ${model} has float32 words, whose clips are compared at thresholds of the command's own; leave it out`,
    );
  }
  const { workload, images } = samplesOf(file.graph.network, flags);
  const { verifyFloat32File, describeMismatch } = await import('../../campaign/verify/index.js');
  const progress = showProgress('states of the file', flags.quiet ?? false);
  const cases = await verifyFloat32File({
    ...{ ...file, workload, images, threads, onProgress: progress.listener },
  });
  progress.stop();
  const result = { model, images, onnxruntimeOverflows: false, kernels: kernelsInUse(), cases };
  printResult(json, result, () => toText(cases));
  requireCompared(cases);
  const failed = cases.find(({ first }) => first !== undefined);
  if (failed?.first) throw new MismatchError(describeMismatch(failed.name, failed.first));
}

/** What is compared: test images of CIFAR-10, or given samples, on which thresholds are profiled, too. */
function samplesOf(network: Network, { images, data, input }: VerifyFlags) {
  if (input === undefined) {
    const count = images ?? DEFAULT_IMAGES;
    const dataset = loadCifar10({ folder: data, split: 'test', limit: count });
    requireImages('--images', count, dataset, 'test');
    requireCifar10Network(network);
    const profile: ProfileData = { folder: data };
    return { workload: cifar10Workload(dataset), images: count, profile };
  }
  if (data !== undefined) throw new InputError('give samples either by --data or by --input');
  const workload = givenWorkload([network], input);
  const count = images ?? Math.min(DEFAULT_IMAGES, workload.samples);
  if (count > workload.samples) {
    throw new InputError(`--images ${count}: ${workload.name} has ${workload.samples} samples`);
  }
  const profile: ProfileData = { calibration: workload };
  return { workload, images: count, profile };
}

/** The network with float32 words, and the thresholds for them that there are. */
function float32Clips(
  flags: VerifyFlags,
  thresholds: Thresholds,
  where: string,
  profile: ProfileData,
) {
  const { model } = flags;
  const sizes = { dataShapes: dataShapesOf(flags.input ?? []) };
  const network = loadNetwork(model, 'float32', sizes);
  if (network.format !== 'float32') throw new InputError(`${model} has no float32 words`);
  const mitigations = [
    ...(thresholds.float32 ? (['clip', 'clamp'] as const) : []),
    ...(thresholds.tuned?.float32 ? (['clip-tuned'] as const) : []),
  ];
  return {
    network,
    given: isRequantised(flags.mitigation) ? undefined : givenClip(network, flags, profile),
    thresholds: new Map(
      mitigations.map((name) => [name, thresholdsFor(network, thresholds, where, name)]),
    ),
  };
}

/** What the user's mitigation puts behind the accumulators of a network, if it does. */
function givenClip(
  network: Network,
  { model, mitigation, thresholds }: VerifyFlags,
  profile: ProfileData,
) {
  if (!mitigation) return undefined;
  const [stored] = memoryPartsOf(mitigation);
  if (stored) {
    throw new InputError(
      `--mitigation: ${stored.use} stands in the weight memory, of which onnxruntime knows nothing; "bitcell map hits FILE --mitigation ${mitigation.name}" shows what it does`,
    );
  }
  const find = ({ file = thresholds, granularity }: ThresholdRequest) =>
    loadThresholds(model, [network], file, profile, granularity);
  const clip = activationSideOf(mitigation, network, find, { position: 'accumulator' });
  return clip && { name: mitigation.name, clip };
}

/** Float32 words have no requantisation to clip after. */
function isRequantised(mitigation: Mitigation | undefined): boolean {
  return mitigation !== undefined && activationPartOf(mitigation)?.position === 'requantised';
}

/** @throws BitcellError when no case could be compared, so that nothing is known */
function requireCompared(cases: readonly CaseResult[]): void {
  if (cases.some(({ values }) => values > 0)) return;
  const reasons = [...new Set(cases.flatMap(({ refused }) => refused ?? []))];
  throw new BitcellError(`nothing was compared: ${reasons.join('; ')}`);
}

function toText(cases: readonly CaseResult[]): string {
  const rows = cases.map(({ name, images, layers, values, mismatches, steps, ...found }) => [
    name,
    grouped(images),
    String(layers),
    grouped(values),
    grouped(mismatches),
    grouped(steps),
    found.unfused.length === 0 ? '-' : grouped(found.unfused.length),
  ]);
  const sum = (count: (result: CaseResult) => number) =>
    grouped(cases.reduce((total, result) => total + count(result), 0));
  const steps = cases.some((result) => result.steps > 0)
    ? ` beyond a step, and ${sum((result) => result.steps)} by one`
    : '';
  return [
    formatTable(['case', 'images', 'layers', 'values', 'mismatches', 'steps', 'unfused'], rows),
    '',
    ...cases.flatMap(remarks),
    ...unfusedGroups(cases),
    `${sum(({ values }) => values)} values compared with onnxruntime, ${sum(({ mismatches }) => mismatches)} differ${steps}.`,
  ].join('\n');
}

/** The groups that onnxruntime runs in float32, once for all cases in which they are the same. */
function unfusedGroups(cases: readonly CaseResult[]): string[] {
  const known = new Set<string>();
  return cases.flatMap(({ name, unfused }) => {
    const groups = unfused.join(', ');
    if (groups === '' || known.has(groups)) return [];
    known.add(groups);
    return [`${name}: onnxruntime leaves unfused, in float32: ${groups}.`];
  });
}

function remarks({ name, exposingChanges, refused }: CaseResult): string[] {
  return [
    ...(exposingChanges > 0
      ? [
          `${name}: as outputs, the inner tensors keep onnxruntime from fusing, and change ${counted(exposingChanges, 'final output')}.`,
        ]
      : []),
    ...(refused === undefined ? [] : [`${name}: not compared: ${refused}.`]),
  ];
}
