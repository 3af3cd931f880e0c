import { Command } from 'commander';
import { loadNetwork } from '../../campaign/index.js';
import { InputError, writeFileAtomic } from '../../core/index.js';
import {
  int8Clips,
  type Mitigation,
  readThresholds,
  thresholdsFor,
} from '../../mitigation/index.js';
import { writeClipped } from '../../models/index.js';
import { addCommonOptions, type CommonOptions, choice, option } from '../options.js';
import { printResult } from '../output.js';

interface ExportFlags extends CommonOptions {
  readonly model: string;
  readonly thresholds: string;
  readonly mitigation: Exclude<Mitigation, 'none'>;
  readonly output: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('Write a quantised network with clipped activations as standard ONNX')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(option('--thresholds <file>', 'clip thresholds').makeOptionMandatory())
    .addOption(choice('--mitigation <name>', 'how to clip', ['clip', 'clamp']).default('clip'))
    .addOption(option('--output <file>', 'ONNX file to write').makeOptionMandatory())
    .action(exportNetwork);
  return addCommonOptions(command);
}

function exportNetwork({ model, thresholds, mitigation, output, json }: ExportFlags): void {
  const network = loadNetwork(model, 'int8');
  if (network.format !== 'int8') throw new InputError(`${model} is not quantised`);
  const values = thresholdsFor(network, readThresholds(thresholds), thresholds);
  const clips = int8Clips(mitigation, values);
  const bytes = writeClipped(network, clips);
  writeFileAtomic(output, bytes);
  printResult(
    json,
    { model, mitigation, output, bytes: bytes.length, clippedLayers: [...clips.keys()] },
    () => `${output}: ${model} with ${clips.size} clipped layers, ${bytes.length} bytes`,
  );
}
