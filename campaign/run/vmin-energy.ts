import {
  type ComponentEnergy,
  type EnergyComponent,
  energyAtFactor,
  type NotGiven,
  type Supply,
  supplyFactor,
  totalAtFactor,
} from '../../sim/index.js';
import type { DieVmin } from '../points/dies/die-summary.js';
import type { StudyPrices } from '../points/mitigation-prices.js';
import type { PlacedNetwork } from '../study/conditions.js';

/** What an image of an unprotected network takes on an accelerator, and what it is by at other voltages. */
export interface ImageEnergy extends PlacedNetwork {
  /** Name of the energy table; null: there is none. */
  readonly table: string | null;
  /** Joules of the components that are given, at the nominal voltage: a lower bound where some are not. */
  readonly total: number | null;
  readonly components: ComponentEnergy | null;
  /** Components that are in no sum. */
  readonly notGiven: readonly NotGiven<EnergyComponent>[];
  /** Null: the accelerator says no nominal voltage. */
  readonly supply: Supply | null;
  /** Why there is no energy at other voltages; null: there is. */
  readonly reason: string | null;
}

export type StudyEnergies = (placed: PlacedNetwork) => ImageEnergy;

/** The lowest voltage of a die, and what an image takes at it. */
export interface DieVminEnergy extends DieVmin {
  /** Joules of an image at Vmin without those of the mitigation; null: not given. */
  readonly networkEnergy: number | null;
  /** Joules of an image at Vmin, those of the mitigation included; null: not given. */
  readonly energy: number | null;
  /** What of the energy at its Vmin without a mitigation is saved, a fraction; negative: it takes more. Null: not given. */
  readonly energySaving: number | null;
  /** Why there is no energy; null: there is. */
  readonly energyNotGiven: string | null;
}

/** What a mitigation saves over the dies that have a Vmin with it and without. */
export interface VminSaving extends PlacedNetwork {
  readonly mitigation: string;
  /** Dies that have an energy at Vmin with it and without. */
  readonly dies: number;
  /** Dies that pass at some voltage with it alone, and without it alone. */
  readonly onlyWith: number;
  readonly onlyWithout: number;
  /** Mean joules of an image of those `dies`, each at its own Vmin; null: there are none. */
  readonly energyWithout: number | null;
  readonly energy: number | null;
  /** 1 − energy / energyWithout. */
  readonly saving: number | null;
}

/** Energies at Vmin, and what they are made of. */
export interface VminEnergies {
  readonly vmin: readonly DieVminEnergy[];
  /** Each network on each accelerator, in the order of the dies. */
  readonly imageEnergy: readonly ImageEnergy[];
  /** Of each mitigation beside `none`; empty where the study has no `none`. */
  readonly vminSavings: readonly VminSaving[];
}

/** The mitigation that others are compared with. */
const NONE = 'none';

/** What an image takes at the Vmin of each die. */
export function vminEnergies(
  vmins: readonly DieVmin[],
  energies: StudyEnergies,
  prices: StudyPrices,
): VminEnergies {
  const imageEnergy = new Map<string, ImageEnergy>();
  const ofVmin = vmins.map((one) => {
    const { model, format, accelerator } = one;
    const key = JSON.stringify([model, format, accelerator]);
    const image = imageEnergy.get(key) ?? energies({ model, format, accelerator });
    imageEnergy.set(key, image);
    return { ...one, ...energyAt(one, image, prices) };
  });
  const without = new Map(
    ofVmin.filter(({ mitigation }) => mitigation === NONE).map((one) => [dieOn(one), one]),
  );
  const vmin = ofVmin.map((one): DieVminEnergy => {
    const before = without.get(dieOn(one))?.energy ?? null;
    const { energy } = one;
    const isCompared = energy !== null && before !== null && one.mitigation !== NONE;
    return { ...one, energySaving: isCompared ? 1 - energy / before : null };
  });
  return {
    vmin,
    imageEnergy: [...imageEnergy.values()],
    vminSavings: savingsOf(
      vmin,
      new Map(vmin.map((one) => [`${dieOn(one)}${one.mitigation}`, one])),
    ),
  };
}

type EnergyAt = Pick<DieVminEnergy, 'networkEnergy' | 'energy' | 'energyNotGiven'>;

function energyAt(one: DieVmin, image: ImageEnergy, prices: StudyPrices): EnergyAt {
  const { vmin } = one;
  const { reason, components, supply } = image;
  const notGiven = (why: string, networkEnergy: number | null = null): EnergyAt => ({
    ...{ networkEnergy, energy: null, energyNotGiven: why },
  });
  if (vmin === null) return notGiven('it does not pass at the highest voltage');
  if (reason !== null || components === null || supply === null) {
    return notGiven(reason ?? 'no figures');
  }
  const factor = supplyFactor(supply, vmin);
  if (factor === undefined) {
    return notGiven(`the supply of ${one.accelerator} has no factor for ${vmin} V`);
  }
  const networkEnergy = totalAtFactor(components, supply, factor);
  const price = prices(one);
  if (price.energy === null) {
    const reasons = price.notGiven.filter(({ component }) => component === 'energy');
    return notGiven(reasons.map(({ reason: why }) => why).join('; '), networkEnergy);
  }
  // What a mitigation takes is that of reading cells of the weight memory.
  const added = energyAtFactor('weightSram', price.energy, supply, factor);
  return { networkEnergy, energy: networkEnergy + added, energyNotGiven: null };
}

function dieOn({ model, format, accelerator, lot, wafer, die, x, y }: DieVmin): string {
  return JSON.stringify([model, format, accelerator, lot, wafer, die, x, y]);
}

function savingsOf(
  vmins: readonly DieVminEnergy[],
  byDie: ReadonlyMap<string, DieVminEnergy>,
): VminSaving[] {
  const groups = new Map<string, DieVminEnergy[]>();
  for (const one of vmins) {
    const { model, format, accelerator, mitigation } = one;
    if (mitigation === NONE || !byDie.has(`${dieOn(one)}${NONE}`)) continue;
    const key = JSON.stringify([model, format, accelerator, mitigation]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group): VminSaving => {
    const { model, format, accelerator, mitigation } = group[0];
    const pairs = group.map((one) => ({ one, before: byDie.get(`${dieOn(one)}${NONE}`) }));
    const both = pairs.flatMap(({ one, before }) =>
      one.energy !== null && before && before.energy !== null
        ? [[before.energy, one.energy] as const]
        : [],
    );
    const mean = (at: 0 | 1) =>
      both.length === 0 ? null : both.reduce((sum, pair) => sum + pair[at], 0) / both.length;
    const [energyWithout, energy] = [mean(0), mean(1)];
    const count = (isCounted: (pair: (typeof pairs)[number]) => boolean) =>
      pairs.filter(isCounted).length;
    return {
      ...{ model, format, accelerator, mitigation, dies: both.length },
      onlyWith: count(({ one, before }) => one.vmin !== null && before?.vmin === null),
      onlyWithout: count(({ one, before }) => one.vmin === null && before?.vmin !== null),
      ...{ energyWithout, energy },
      saving: energyWithout === null || energy === null ? null : 1 - energy / energyWithout,
    };
  });
}
