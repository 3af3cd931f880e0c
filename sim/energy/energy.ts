import { formatBytes } from '../../core/index.js';
import type { BitTraffic, LayerActivity, NetworkActivity, SramName } from './activity.js';
import type { AccessEnergy, EnergyTable, SramClass } from './table.js';

/** The parts of an accelerator that take energy. */
export const ENERGY_COMPONENTS = [
  'inputSram',
  'weightSram',
  'outputSram',
  'registerFile',
  'mac',
  'memory',
  'leakage',
] as const;

export type EnergyComponent = (typeof ENERGY_COMPONENTS)[number];

/** Joules of each component; null: not given. */
export type ComponentEnergy = Readonly<Record<EnergyComponent, number | null>>;

export interface LayerEnergy {
  readonly name: string;
  /** Joules of the components that are given. */
  readonly total: number;
  readonly components: ComponentEnergy;
}

/** A component that is in no sum, and why. */
export interface NotGiven<Component> {
  readonly component: Component;
  readonly reason: string;
}

/** Energy of one image, in joules. */
export interface NetworkEnergy {
  /** Of the components that are given: a lower bound where some are not. */
  readonly total: number;
  readonly layers: readonly LayerEnergy[];
  /** Sums over the layers; null where a layer has null. */
  readonly components: ComponentEnergy;
  readonly notGiven: readonly NotGiven<EnergyComponent>[];
  /** Watts at the clock, `total` over the seconds of the image; null without a clock. */
  readonly power: number | null;
}

/** The class of SRAMs that one of so many bytes belongs to: the smallest that holds it. */
export function sramClass(table: EnergyTable, bytes: number | undefined): SramClass | undefined {
  return bytes === undefined ? undefined : table.sram.find(({ upTo }) => bytes <= upTo);
}

/**
 * Energy of one image: accesses × energy of an access, multiply-accumulates × energy of one, leakage × time. A
 * component without a figure is null and in no sum; what does nothing takes nothing, figure or not.
 *
 * @param clock hertz; leakage and power need it
 */
export function networkEnergy(
  activity: NetworkActivity,
  table: EnergyTable,
  clock?: number,
): NetworkEnergy {
  const layers = activity.layers.map((layer) => {
    const components = layerComponents(layer, activity, table, clock);
    return { name: layer.name, total: totalOf(components), components };
  });
  const components = byComponent((component) =>
    layers.reduce<number | null>((sum, layer) => plus(sum, layer.components[component]), 0),
  );
  const total = totalOf(components);
  const seconds = clock && activity.layers.reduce((sum, { cycles }) => sum + cycles, 0) / clock;
  return {
    total,
    layers,
    components,
    notGiven: ENERGY_COMPONENTS.filter((component) => components[component] === null).map(
      (component) => ({ component, reason: whyNotGiven(component, activity, table) }),
    ),
    power: seconds ? total / seconds : null,
  };
}

function layerComponents(
  layer: LayerActivity,
  { format, sramBytes }: NetworkActivity,
  table: EnergyTable,
  clock: number | undefined,
): ComponentEnergy {
  const sram = (name: SramName) =>
    trafficEnergy(layer.sram[name], sramClass(table, sramBytes[name]));
  return {
    inputSram: sram('input'),
    weightSram: sram('weights'),
    outputSram: sram('output'),
    registerFile: accessEnergy(layer.registerReads, layer.registerWrites, table.registerFile),
    mac: times(layer.multiplyAccumulates, table.mac?.[format]),
    memory: layer.memory ? trafficEnergy(layer.memory, table.memory) : null,
    leakage: clock === undefined ? null : times(layer.cycles / clock, table.leakage),
  };
}

/** Energy is in proportion to the bits: an access that is partly used counts in part. */
function trafficEnergy(
  { readBits, writtenBits }: BitTraffic,
  figures: (AccessEnergy & { readonly accessBits: number }) | undefined,
): number | null {
  const bits = figures?.accessBits ?? 1;
  return accessEnergy(readBits / bits, writtenBits / bits, figures);
}

function accessEnergy(
  reads: number,
  writes: number,
  figures: AccessEnergy | undefined,
): number | null {
  return plus(times(reads, figures?.read), times(writes, figures?.write));
}

function times(count: number, figure: number | undefined): number | null {
  if (count === 0) return 0;
  return figure === undefined ? null : count * figure;
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function totalOf(components: ComponentEnergy): number {
  return ENERGY_COMPONENTS.reduce((sum, component) => sum + (components[component] ?? 0), 0);
}

function byComponent(of: (component: EnergyComponent) => number | null): ComponentEnergy {
  return {
    inputSram: of('inputSram'),
    weightSram: of('weightSram'),
    outputSram: of('outputSram'),
    registerFile: of('registerFile'),
    mac: of('mac'),
    memory: of('memory'),
    leakage: of('leakage'),
  };
}

function whyNotGiven(
  component: EnergyComponent,
  { format, layers, sramBytes }: NetworkActivity,
  table: EnergyTable,
): string {
  switch (component) {
    case 'inputSram':
      return whySramNotGiven('input', sramBytes.input, table);
    case 'weightSram':
      return whySramNotGiven('weights', sramBytes.weights, table);
    case 'outputSram':
      return whySramNotGiven('output', sramBytes.output, table);
    case 'registerFile':
      return missing(table, missingAccesses('registerFile.', table.registerFile));
    case 'mac':
      return missing(table, `mac.${format}`);
    case 'memory':
      return layers.some(({ memory }) => memory === undefined)
        ? 'at ideal bandwidth the traffic of the memory behind the SRAMs is not counted'
        : missing(table, missingAccesses('memory.', table.memory));
    case 'leakage':
      return table.leakage === undefined
        ? missing(table, 'leakage')
        : 'leakage needs the clock of the accelerator';
  }
}

function whySramNotGiven(name: SramName, bytes: number | undefined, table: EnergyTable): string {
  if (bytes === undefined) return `the accelerator does not say how large it is (buffers.${name})`;
  const size = formatBytes(bytes);
  const figures = sramClass(table, bytes);
  return figures === undefined
    ? `energy table ${table.name} has no SRAM of ${size} or more`
    : missing(table, `${missingAccesses('', figures)} for an SRAM of ${size}`);
}

function missing(table: EnergyTable, figures: string): string {
  return `energy table ${table.name} has no ${figures}`;
}

function missingAccesses(prefix: string, figures: AccessEnergy | undefined): string {
  return (['read', 'write'] as const)
    .filter((access) => figures?.[access] === undefined)
    .map((access) => prefix + access)
    .join(' and no ');
}
