import { Command } from 'commander';
import { resolveModel, weightedLayers } from '../../models/index.js';
import { DEFAULT_ACCELERATOR, loadAccelerator, networkTiming } from '../../sim/index.js';
import { addCommonOptions, type CommonOptions, option } from '../options.js';
import { printResult } from '../output.js';
import { formatTable, grouped, percent } from '../table.js';

interface TimingFlags extends CommonOptions {
  readonly model: string;
  readonly accelerator: string;
}

export function timingCommand(): Command {
  const command = new Command('timing')
    .description('Cycles of one image on the systolic array, layer by layer, at ideal bandwidth')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(
      option('--accelerator <accelerator>', 'a preset or a file').default(DEFAULT_ACCELERATOR),
    )
    .action(timing);
  return addCommonOptions(command);
}

function timing({ model, accelerator, json }: TimingFlags): void {
  const { array, name: acceleratorName } = loadAccelerator(accelerator);
  const layers = weightedLayers(resolveModel(model));
  const result = networkTiming(
    layers.map(({ shape }) => shape),
    array,
  );
  const named = layers.map(({ name }, index) => ({ name, ...result.layers[index] }));
  printResult(
    json,
    { model, accelerator, layers: named, total: result.total, energy: null },
    () => {
      const rows = [...named, { name: 'total', ...result.total }].map((layer) => [
        layer.name,
        grouped(layer.computeCycles),
        grouped(layer.stallCycles),
        grouped(layer.totalCycles),
        percent(layer.utilization),
      ]);
      return [
        `${model} on ${acceleratorName}: ${array.rows}×${array.columns}, ${array.dataflow}, one image`,
        '',
        formatTable(['layer', 'compute', 'stalls', 'cycles', 'utilisation %'], rows),
      ].join('\n');
    },
  );
}
