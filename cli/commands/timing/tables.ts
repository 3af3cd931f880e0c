import {
  ENERGY_COMPONENTS,
  type InferenceEnergy,
  type LayerTiming,
  type MemorySystem,
  type NetworkTiming,
  type TimedAccelerator,
  type VectorTiming,
} from '../../../sim/index.js';
import { formatTable, grouped, percent } from '../../print/table.js';
import { islandsOf, type Workload } from './workload.js';

/** Everything that the command prints as text. */
export function describe(
  workload: Workload,
  { name, array }: TimedAccelerator,
  memory: MemorySystem | undefined,
  { layers, total }: NetworkTiming,
  vector: VectorTiming | undefined,
  energy: InferenceEnergy | undefined,
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
    ...(energy === undefined ? [] : ['', energyTable(energy)]),
    ...islandsOf(workload.network).map(
      ({ name, reasons }) =>
        `\n${name} is not timed, for the host computes it: ${reasons.map(({ node }) => node).join(', ')}`,
    ),
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

const COMPONENT_NAMES: Readonly<Record<(typeof ENERGY_COMPONENTS)[number], string>> = {
  inputSram: 'input SRAM',
  weightSram: 'weight SRAM',
  outputSram: 'output SRAM',
  registerFile: 'registers',
  mac: 'MACs',
  memory: 'memory',
  leakage: 'leakage',
};

/** Microjoules of what is given, by layer; what is not given, and why; power and area. */
function energyTable({ table, layers, total, components, notGiven, power, area }: InferenceEnergy) {
  const given = ENERGY_COMPONENTS.filter((component) => components[component] !== null);
  const missing = notGiven.length > 0;
  const rows = [...layers, { name: 'total', total, components }].map((row) => [
    row.name,
    microjoules(row.total),
    ...given.map((component) => microjoules(row.components[component] ?? 0)),
  ]);
  const names = given.map((component) => COMPONENT_NAMES[component]);
  const atLeast = missing ? 'at least ' : '';
  return [
    formatTable([`microjoules (${table})`, missing ? 'of what is given' : 'all', ...names], rows),
    ...notGiven.map(
      ({ component, reason }) => `${COMPONENT_NAMES[component]} not given: ${reason}`,
    ),
    ...(power === null ? [] : [`power: ${atLeast}${(1000 * power).toPrecision(4)} mW`]),
    ...(area.total === 0 ? [] : [`area: ${areaText(area)}`]),
  ].join('\n');
}

function microjoules(joules: number): string {
  return (1e6 * joules).toFixed(3);
}

function areaText({ total, components }: InferenceEnergy['area']): string {
  const complete = Object.values(components).every((area) => area !== null);
  return `${complete ? '' : 'at least '}${(1e6 * total).toPrecision(4)} mm²`;
}
