import type { ComponentEnergy, EnergyComponent } from './energy.js';

/** What the energy of the components that a supply feeds is multiplied by at a voltage. */
export interface SupplyFactor {
  /** Volts. */
  readonly voltage: number;
  readonly factor: number;
}

/** The supply of an accelerator whose voltage is lowered. */
export interface Supply {
  /** Volts at which the figures of the energy table hold. */
  readonly nominal: number;
  /** What it feeds: all else takes at every voltage what the energy table says. */
  readonly components: readonly EnergyComponent[];
  /** What was measured, in place of V². */
  readonly factors?: readonly SupplyFactor[] | undefined;
}

/** What switches on the chip: its energy goes with the square of the voltage. */
export const SWITCHING_COMPONENTS = [
  'inputSram',
  'weightSram',
  'outputSram',
  'registerFile',
  'mac',
] as const satisfies readonly EnergyComponent[];

/**
 * What the energy of the components that a supply feeds is multiplied by at a voltage: (V/nominal)², since a
 * capacitance takes C · V² each time it is charged; or what was measured at just this voltage. Undefined: others were
 * measured, and nothing is interpolated.
 */
export function supplyFactor({ nominal, factors }: Supply, voltage: number): number | undefined {
  if (factors === undefined) return (voltage / nominal) ** 2;
  if (voltage === nominal) return 1;
  return factors.find((measured) => measured.voltage === voltage)?.factor;
}

/** The energy of a component at a voltage, of which `factor` is that of the supply. */
export function energyAtFactor(
  component: EnergyComponent,
  energy: number,
  { components }: Supply,
  factor: number,
): number {
  return components.includes(component) ? energy * factor : energy;
}

/** Joules of the components that are given, with those that a supply feeds at a factor of theirs. */
export function totalAtFactor(energy: ComponentEnergy, supply: Supply, factor: number): number {
  return Object.entries(energy).reduce(
    (sum, [component, joules]) =>
      sum + energyAtFactor(component as EnergyComponent, joules ?? 0, supply, factor),
    0,
  );
}
