import { basename } from 'node:path';
import { Command } from 'commander';
import { InputError, parseBytes, readFileChecked } from '../../core/index.js';
import { type Network, resolveModel, weightedLayers } from '../../models/index.js';
import {
  BANDWIDTH_MODELS,
  type Bandwidth,
  type BandwidthModel,
  DEFAULT_ACCELERATOR,
  type LayerTiming,
  loadAccelerator,
  type MemorySystem,
  type NetworkTiming,
  networkTiming,
  type OperandBuffers,
  parseScaleSimConfiguration,
  parseTopology,
  type SystolicArray,
  type TopologyLayer,
  type VectorTiming,
  type VectorUnit,
  vectorTiming,
} from '../../sim/index.js';
import { addCommonOptions, type CommonOptions, choice, list, option } from '../options.js';
import { printResult } from '../output.js';
import { formatTable, grouped, percent } from '../table.js';

interface TimingFlags extends CommonOptions {
  readonly model: string;
  readonly topology?: string;
  readonly accelerator: string;
  readonly config?: string;
  readonly bandwidthModel?: BandwidthModel;
  readonly bandwidth?: readonly string[];
  readonly buffers?: readonly string[];
}

export function timingCommand(): Command {
  const command = new Command('timing')
    .description('Cycles of one image on the systolic array, layer by layer, and why it waits')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(
      option(
        '--topology <file>',
        "layers of a SCALE-Sim topology (.csv), in a network's place",
      ).conflicts('model'),
    )
    .addOption(
      option('--accelerator <accelerator>', 'a preset or a file').default(DEFAULT_ACCELERATOR),
    )
    .addOption(
      option(
        '--config <file>',
        "a SCALE-Sim configuration (.cfg), in an accelerator's place",
      ).conflicts('accelerator'),
    )
    .addOption(
      choice(
        '--bandwidth-model <model>',
        'how the array waits at finite bandwidth (default: double-buffer)',
        BANDWIDTH_MODELS,
      ),
    )
    .addOption(
      option('--bandwidth <words>', 'words a cycle: for all, or input,weights,output').argParser(
        list,
      ),
    )
    .addOption(
      option('--buffers <sizes>', 'SRAM sizes (64KiB): of all, or input,weights,output').argParser(
        list,
      ),
    )
    .action(timing);
  return addCommonOptions(command);
}

/** What of an accelerator the timing depends on. */
interface TimedAccelerator {
  readonly name: string;
  readonly array: SystolicArray;
  readonly buffers?: OperandBuffers;
  readonly bandwidth?: Bandwidth;
  readonly vectorUnit?: VectorUnit;
}

/** The layers to time, and the network that they are from, if it is not a topology. */
interface Workload {
  readonly name: string;
  readonly layers: readonly TopologyLayer[];
  readonly network?: Network;
}

function timing(flags: TimingFlags): void {
  const workload = workloadOf(flags);
  const accelerator = acceleratorOf(flags);
  const { array } = accelerator;
  const memory = memorySystem(accelerator, flags.bandwidthModel, workload.network);
  const shapes = workload.layers.map(({ shape }) => shape);
  const result = networkTiming(shapes, array, memory);
  const vector =
    workload.network &&
    vectorTiming(workload.network, accelerator.vectorUnit ?? { lanes: array.columns });
  const { topology, model, config } = flags;
  printResult(
    flags.json,
    {
      ...(topology === undefined ? { model } : { topology }),
      ...(config === undefined ? { accelerator: flags.accelerator } : { config }),
      bandwidthModel: memory?.model ?? 'ideal',
      layers: workload.layers.map(({ name }, index) => ({ name, ...result.layers[index] })),
      total: result.total,
      vector: vector ?? null,
      energy: null,
    },
    () => describe(workload, accelerator, memory, result, vector),
  );
}

function workloadOf({ topology, model }: TimingFlags): Workload {
  if (topology !== undefined) {
    return { name: basename(topology), layers: parseTopology(readText(topology), topology) };
  }
  const network = resolveModel(model);
  return { name: model, layers: weightedLayers(network), network };
}

function acceleratorOf(flags: TimingFlags): TimedAccelerator {
  const { config, bandwidth, buffers } = flags;
  const accelerator =
    config === undefined
      ? loadAccelerator(flags.accelerator)
      : parseScaleSimConfiguration(readText(config), config);
  return {
    ...accelerator,
    ...(bandwidth !== undefined && { bandwidth: perOperand('--bandwidth', bandwidth, words) }),
    ...(buffers !== undefined && { buffers: perOperand('--buffers', buffers, parseBytes) }),
  };
}

function readText(file: string): string {
  return new TextDecoder().decode(readFileChecked(file));
}

/** One value for all operands, or three. */
function perOperand(
  flag: string,
  texts: readonly string[],
  parse: (text: string) => number,
): Record<'input' | 'weights' | 'output', number> {
  if (texts.length !== 1 && texts.length !== 3) {
    throw new InputError(
      `${flag} ${texts.join(',')}: expected one value, or three for input,weights,output.`,
    );
  }
  const [input, weights = input, output = input] = texts.map(parse);
  return { input, weights, output };
}

function words(text: string): number {
  const value = Number(text);
  if (text !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InputError(`--bandwidth: "${text}" is not a number of words a cycle above 0.`);
}

/** Undefined: ideal bandwidth. */
function memorySystem(
  { name, buffers, bandwidth }: TimedAccelerator,
  model: BandwidthModel | undefined,
  network: Network | undefined,
): MemorySystem | undefined {
  if (bandwidth === undefined) {
    if (model !== undefined) {
      process.stderr.write(
        `bitcell: ${name} has ideal bandwidth, so ${model} finds no stalls: --bandwidth makes it finite.\n`,
      );
    }
    return undefined;
  }
  if (buffers === undefined) {
    throw new InputError(`${name} has a bandwidth but no buffers: give their sizes by --buffers.`);
  }
  const wordBytes = network?.format === 'float32' ? 4 : 1;
  return { model: model ?? 'double-buffer', buffers, bandwidth, wordBytes };
}

function describe(
  workload: Workload,
  { name, array }: TimedAccelerator,
  memory: MemorySystem | undefined,
  { layers, total }: NetworkTiming,
  vector: VectorTiming | undefined,
): string {
  const model = memory === undefined ? 'ideal bandwidth' : `${memory.model} model`;
  const rows = [
    ...workload.layers.map((layer, index) => [layer.name, ...timingCells(layers[index])]),
    ['total', ...timingCells(total)],
  ];
  return [
    `${workload.name} on ${name}: ${array.rows}×${array.columns}, ${array.dataflow}, one image, ${model}`,
    '',
    formatTable(['layer', 'compute', 'stalls', 'cycles', 'utilisation %'], rows),
    ...(memory === undefined ? [] : ['', stallTable(workload, layers)]),
    ...(vector === undefined || vector.cycles === 0 ? [] : ['', vectorTable(vector)]),
  ].join('\n');
}

function timingCells(timing: NetworkTiming['total']): string[] {
  return [
    grouped(timing.computeCycles),
    grouped(timing.stallCycles),
    grouped(timing.totalCycles),
    percent(timing.utilization),
  ];
}

/** What the array waits for, and what memory moves. */
function stallTable(workload: Workload, layers: readonly LayerTiming[]): string {
  const head = ['stalls for', 'first fill', 'input', 'weights', 'output', 'last drain'];
  const moved = ['words: input', 'weights', 'sums back', 'out'];
  const rows = layers.map(({ stalls, memory }, index) => [
    workload.layers[index].name,
    ...[
      stalls?.firstFill,
      stalls?.input,
      stalls?.weights,
      stalls?.output,
      stalls?.lastDrain,
      memory?.inputReads,
      memory?.weightReads,
      memory?.partialSumReads,
      memory?.outputWrites,
    ].map((count) => grouped(count ?? 0)),
  ]);
  return formatTable([...head, ...moved], rows);
}

function vectorTable({ lanes, layers, cycles }: VectorTiming): string {
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind,
    grouped(layer.operations),
    grouped(layer.cycles),
  ]);
  const operations = layers.reduce((sum, layer) => sum + layer.operations, 0);
  return formatTable(
    [`vector unit, ${lanes} lanes`, 'kind', 'operations', 'cycles'],
    [...rows, ['total', '', grouped(operations), grouped(cycles)]],
  );
}
