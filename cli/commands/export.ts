import { Command } from 'commander';
import { clipOf, faultedNetwork, loadNetwork } from '../../campaign/index.js';
import { InputError, requireSafeOutputs, writeFileAtomic } from '../../core/index.js';
import { faultMapFiles } from '../../fault/index.js';
import {
  type ActivationSide,
  type ClipPosition,
  float32Clips,
  int8Clips,
  type Mitigation,
  memoryPartsOf,
  NO_MITIGATION,
  parseMitigation,
  readThresholds,
} from '../../mitigation/index.js';
import {
  type Int8Network,
  type Network,
  readNetwork,
  type WordFormat,
  writeClipped,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';
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
} from '../input/options.js';
import { printResult } from '../print/output.js';
import { grouped } from '../print/table.js';
import { unfusedOf } from '../print/unfused.js';
import { addMeasuredOptions, type MeasuredFlags, measuredMapOf } from './map/measured-options.js';

/** Forms of a quantised network in ONNX. */
const OUTPUT_FORMATS = ['qdq', 'qoperator'] as const;

type OutputFormat = (typeof OUTPUT_FORMATS)[number];

interface ExportFlags extends CommonOptions, MeasuredFlags {
  readonly model: string;
  readonly format: WordFormat;
  readonly faultMap?: string;
  readonly accelerator: string;
  readonly placement: Placement['kind'];
  readonly thresholds?: string;
  readonly mitigation?: Mitigation;
  readonly clipPosition: ClipPosition;
  readonly output: string;
  readonly outputFormat?: OutputFormat;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description(
      'Write a network as standard ONNX: with clipped activations, with the weights that it reads under a fault map, or with both',
    )
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default('int8'))
    .addOption(
      option('--fault-map <file>', 'write the weights that are read under this map').argParser(
        once,
      ),
    )
    .addOption(option('--thresholds <file>', 'clip activations at these thresholds'))
    .addOption(
      mitigationOption(
        'what protects the network, such as clamp, secded or rotate+clip:layers=conv1/fc2 (default: clip-tuned where the thresholds are tuned, else clip; none without thresholds)',
      ),
    )
    .addOption(clipPositionOption())
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        'resident',
      ),
    )
    .addOption(acceleratorOption())
    .addOption(option('--output <file>', 'ONNX file to write').makeOptionMandatory())
    .addOption(
      choice(
        '--output-format <format>',
        'form of int8 words (default: qdq where onnxruntime computes all of it in integers; with clips qoperator)',
        OUTPUT_FORMATS,
      ),
    )
    .action(exportNetwork);
  return addCommonOptions(addMeasuredOptions(addMemoryLimit(addKernels(command))));
}

function exportNetwork(flags: ExportFlags, command: Command): void {
  const { model, format, thresholds, faultMap, accelerator, placement, output } = flags;
  requireSafeOutputs(
    [['--output', output]],
    [
      ...[modelFile(model), thresholds, acceleratorFile(accelerator)],
      ...(faultMap === undefined ? [] : faultMapFiles(faultMap)),
    ],
  );
  const mapOptions = measuredMapOf(flags, command);
  const mitigation = flags.mitigation ?? defaultMitigation(thresholds, format);
  const given = loadNetwork(model, format);
  const side = clipOf({ ...flags, mitigation }, given);
  const { network, changedWeights } = faultedNetwork({ ...flags, mitigation, mapOptions }, given);
  if (!side && faultMap === undefined && changedWeights === 0) throw nothingChanged(mitigation);
  const written = writeNetwork(network, side, flags.outputFormat);
  const { bytes } = written;
  writeFileAtomic(output, bytes);
  const clippedLayers = [...(side?.thresholds.keys() ?? [])];
  const isFaulted = faultMap !== undefined || changedWeights > 0;
  printResult(
    flags.json,
    {
      ...{ model, format, mitigation: mitigation.name },
      ...(isFaulted && {
        ...{ faultMap: faultMap ?? null, accelerator, placement, changedWeights },
      }),
      ...(side && { clipPosition: side.position }),
      ...{ output, outputFormat: written.outputFormat, bytes: bytes.length, clippedLayers },
    },
    () => {
      const parts = [
        ...(isFaulted ? [`${grouped(changedWeights)} weights as they are read`] : []),
        ...(side ? [`${clippedLayers.length} clipped layers`] : []),
      ];
      return `${output}: ${model} with ${parts.join(' and ')} (${mitigation.name}), ${bytes.length} bytes`;
    },
  );
}

function defaultMitigation(thresholds: string | undefined, format: WordFormat): Mitigation {
  if (thresholds === undefined) return NO_MITIGATION;
  const { tuned } = readThresholds(thresholds);
  return parseMitigation(tuned?.[format] ? 'clip-tuned' : 'clip');
}

function nothingChanged(mitigation: Mitigation): InputError {
  const [stored] = memoryPartsOf(mitigation);
  return new InputError(
    stored
      ? `${stored.use} changes no weight of a sound memory: give --fault-map FILE, or leave it away`
      : `mitigation ${mitigation.name} clips nothing that an ONNX file could hold: give --thresholds FILE, or --fault-map FILE for the weights under its faults`,
  );
}

interface WrittenNetwork {
  readonly bytes: Uint8Array;
  /** Null: float32 words have one form only. */
  readonly outputFormat: OutputFormat | null;
}

/** @throws InputError when the network has no such form */
function writeNetwork(
  network: Network,
  side: ActivationSide,
  wanted: OutputFormat | undefined,
): WrittenNetwork {
  if (network.format === 'float32') {
    if (wanted !== undefined) {
      throw new InputError(`--output-format ${wanted} is a form of int8 words: leave it away`);
    }
    const clips = side && float32Clips(side.use, network, side.thresholds, side.position);
    return { bytes: writeFloat32(network, clips), outputFormat: null };
  }
  if (side) {
    if (wanted === 'qdq') {
      throw new InputError(
        'clips of int8 words are written with integer operators, for which --output-format qdq has no place: leave it away',
      );
    }
    const clips = int8Clips(side.use, network, side.thresholds, side.position);
    return { bytes: writeClipped(network, clips), outputFormat: 'qoperator' };
  }
  const qdq = wanted === 'qoperator' ? undefined : writeQdq(network);
  if (qdq && (wanted === 'qdq' || isFused(qdq, network)))
    return { bytes: qdq, outputFormat: 'qdq' };
  return { bytes: writeClipped(network, new Map()), outputFormat: 'qoperator' };
}

/** Whether onnxruntime computes a QDQ file as the datapath does: all of it in integers. */
function isFused(bytes: Uint8Array, { name, layers }: Int8Network): boolean {
  return (
    layers.every((layer) => !('inFloat32' in layer && layer.inFloat32)) &&
    unfusedOf(readNetwork(bytes, name)).length === 0
  );
}
