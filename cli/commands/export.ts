import { Command } from 'commander';
import { loadNetwork } from '../../campaign/index.js';
import { requireSafeOutputs, writeFileAtomic } from '../../core/index.js';
import {
  type ClipPosition,
  float32Clips,
  int8Clips,
  type LayerThresholds,
  type Mitigation,
  readThresholds,
  type Thresholds,
  thresholdsFor,
} from '../../mitigation/index.js';
import { type Network, type WordFormat, writeClipped, writeFloat32 } from '../../models/index.js';
import { modelFile } from '../input/input-files.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  clipPositionOption,
  option,
} from '../input/options.js';
import { printResult } from '../print/output.js';

type ClippingMitigation = Exclude<Mitigation, 'none'>;

interface ExportFlags extends CommonOptions {
  readonly model: string;
  readonly format: WordFormat;
  readonly thresholds: string;
  readonly mitigation?: ClippingMitigation;
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
      choice(
        '--mitigation <name>',
        'how to clip (default: clip-tuned where the file has tuned thresholds, else clip)',
        ['clip', 'clamp', 'clip-tuned'],
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
  const values = thresholdsFor(network, thresholds, file, mitigation);
  const bytes = writeNetwork(network, mitigation, values, clipPosition);
  writeFileAtomic(output, bytes);
  printResult(
    json,
    {
      model,
      format,
      mitigation,
      clipPosition,
      output,
      bytes: bytes.length,
      clippedLayers: [...values.keys()],
    },
    () =>
      `${output}: ${model} with ${values.size} clipped layers (${mitigation}), ${bytes.length} bytes`,
  );
}

function defaultMitigation({ tuned }: Thresholds, format: WordFormat): ClippingMitigation {
  return tuned?.[format] ? 'clip-tuned' : 'clip';
}

function writeNetwork(
  network: Network,
  mitigation: ClippingMitigation,
  thresholds: LayerThresholds,
  position: ClipPosition,
): Uint8Array {
  if (network.format === 'int8') {
    return writeClipped(network, int8Clips(mitigation, network, thresholds, position));
  }
  return writeFloat32(network, float32Clips(mitigation, network, thresholds, position));
}
