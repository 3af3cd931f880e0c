import { Command } from 'commander';
import { loadNetwork } from '../../campaign/index.js';
import { InputError, requireSafeOutputs, writeFileAtomic } from '../../core/index.js';
import {
  activationSideOf,
  type ClipPosition,
  float32Clips,
  int8Clips,
  type Mitigation,
  memoryPartsOf,
  type NetworkClip,
  parseMitigation,
  readThresholds,
  type Thresholds,
} from '../../mitigation/index.js';
import { type Network, type WordFormat, writeClipped, writeFloat32 } from '../../models/index.js';
import { modelFile } from '../input/input-files.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  clipPositionOption,
  mitigationOption,
  option,
} from '../input/options.js';
import { printResult } from '../print/output.js';

interface ExportFlags extends CommonOptions {
  readonly model: string;
  readonly format: WordFormat;
  readonly thresholds: string;
  readonly mitigation?: Mitigation;
  readonly clipPosition: ClipPosition;
  readonly output: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('Write a network with clipped activations as standard ONNX')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default('int8'))
    .addOption(option('--thresholds <file>', 'clip thresholds').makeOptionMandatory())
    .addOption(
      mitigationOption(
        'how to clip, such as clamp or clip:layers=conv1/fc2 (default: clip-tuned where the file has tuned thresholds, else clip)',
      ),
    )
    .addOption(clipPositionOption())
    .addOption(option('--output <file>', 'ONNX file to write').makeOptionMandatory())
    .action(exportNetwork);
  return addCommonOptions(addMemoryLimit(command));
}

function exportNetwork(flags: ExportFlags): void {
  const { model, format, thresholds: file, clipPosition, output, json } = flags;
  requireSafeOutputs([['--output', output]], [modelFile(model), file]);
  const network = loadNetwork(model, format);
  const thresholds = readThresholds(file);
  const mitigation = flags.mitigation ?? defaultMitigation(thresholds, format);
  const [stored] = memoryPartsOf(mitigation);
  if (stored) {
    throw new InputError(
      `${stored.use} stands in the weight memory, of which an ONNX file knows nothing: leave it away`,
    );
  }
  const side = activationSideOf(mitigation, network, () => ({ thresholds, where: file }), {
    position: clipPosition,
  });
  if (!side)
    throw new InputError(
      `mitigation ${mitigation.name} clips nothing that an ONNX file could hold`,
    );
  const bytes = writeNetwork(network, side);
  writeFileAtomic(output, bytes);
  const { size } = side.thresholds;
  printResult(
    json,
    {
      model,
      format,
      mitigation: mitigation.name,
      clipPosition: side.position,
      output,
      bytes: bytes.length,
      clippedLayers: [...side.thresholds.keys()],
    },
    () =>
      `${output}: ${model} with ${size} clipped layers (${mitigation.name}), ${bytes.length} bytes`,
  );
}

function defaultMitigation({ tuned }: Thresholds, format: WordFormat): Mitigation {
  return parseMitigation(tuned?.[format] ? 'clip-tuned' : 'clip');
}

function writeNetwork(network: Network, { use, thresholds, position }: NetworkClip): Uint8Array {
  return network.format === 'int8'
    ? writeClipped(network, int8Clips(use, network, thresholds, position))
    : writeFloat32(network, float32Clips(use, network, thresholds, position));
}
