import { InputError } from '../../core/index.js';
import {
  activationPartOf,
  createPricing,
  type Mitigation,
  memoryPartsOf,
  type PricedPlace,
  type PriceFigures,
  type Pricing,
} from '../../mitigation/index.js';
import { loadAccelerator } from '../../sim/index.js';
import { loadNetwork } from '../inputs/load-network.js';
import { type Decision, decideCheapest } from '../points/decision.js';
import { type PriceUnit, priceOf } from '../points/mitigation-prices.js';
import type { PointCounts, ResultFilter, StoredResults } from '../store/index.js';
import { keyFromColumns, type PointKey } from '../study/columns.js';
import type { PlacedNetwork } from '../study/conditions.js';
import { partDefaults, type Study, savedStudy } from '../study/study.js';
import { placeForStudy } from '../trial/study-data.js';

/** The decision for one condition of a study. */
export interface ConditionDecision extends Omit<PointKey, 'mitigation'>, Decision {
  readonly priceUnit: PriceUnit;
}

/** What is asked of the mitigations of a saved study; what is left away, the study says. */
export interface CheapestOptions {
  /** Percentage points that a good map may lose. */
  readonly within?: number | undefined;
  /** Share of the maps that have to be good. */
  readonly yield?: number | undefined;
  readonly priceUnit: PriceUnit;
  /** What a user knows beside what sources give. */
  readonly figures?: PriceFigures | undefined;
}

/**
 * Name the mitigation with the least price that meets a requirement, for each condition of a saved study that has maps.
 *
 * @throws InputError when the study is of given maps, which are no sample; when its network or accelerator is not there
 * or has changed; when its trials are damaged
 */
export async function findCheapest(
  stored: StoredResults,
  filter: ResultFilter,
  { priceUnit, figures, ...asked }: CheapestOptions,
): Promise<ConditionDecision[]> {
  const { configuration } = stored;
  const study = savedStudy(configuration);
  if (study.faultMaps) {
    throw new InputError(
      'the study is of given fault maps: how many maps are good can be said of drawn ones only',
    );
  }
  const requirement = {
    within: asked.within ?? study.within,
    yield: asked.yield ?? study.yield,
  };
  const pricingOf = pricingsOf(study, configuration, figures);
  const mitigations = new Map(study.mitigations.map((one) => [one.name, one]));
  return byCondition(await stored.counts(filter)).map((group) => {
    const { mitigation: _, ...condition } = keyFromColumns(({ field }) => group[0][field] ?? null);
    const candidates = group.map((counts) => {
      const mitigation = mitigations.get(counts.mitigation);
      if (!mitigation) throw new InputError(`the study has no mitigation ${counts.mitigation}`);
      const whole = withDefaults(mitigation, study);
      return { ...counts, ...priceOf(whole, priceUnit, () => pricingOf(condition)) };
    });
    return { ...condition, priceUnit, ...decideCheapest(candidates, requirement) };
  });
}

/** What parts do not say themselves, the study says. */
function withDefaults(mitigation: Mitigation, study: Study): Mitigation {
  const { granularity, position } = partDefaults(study);
  const clip = activationPartOf(mitigation);
  const parts = [
    ...memoryPartsOf(mitigation),
    ...(clip ? [{ granularity, position, ...clip }] : []),
  ];
  return { ...mitigation, parts };
}

function byCondition(all: readonly PointCounts[]): PointCounts[][] {
  const groups = new Map<number, PointCounts[]>();
  for (const counts of all) {
    groups.set(counts.condition, [...(groups.get(counts.condition) ?? []), counts]);
  }
  return [...groups.values()];
}

/** Prices for the networks of a study in their memories, each loaded when it is first asked for. */
function pricingsOf(
  study: Study,
  configuration: Readonly<Record<string, unknown>>,
  figures: PriceFigures | undefined,
): (placed: PlacedNetwork) => Pricing {
  const pricings = new Map<string, Pricing>();
  return ({ model, format, accelerator }) => {
    const key = JSON.stringify([model, format, accelerator]);
    const found =
      pricings.get(key) ??
      createPricing({
        ...loadPlace(study, configuration, { model, format, accelerator }),
        figures,
      });
    pricings.set(key, found);
    return found;
  };
}

function loadPlace(
  study: Study,
  { checksums, acceleratorsResolved }: Readonly<Record<string, unknown>>,
  { model, format, accelerator: name }: PlacedNetwork,
): Omit<PricedPlace, 'figures'> {
  const network = loadNetwork(model, format);
  const accelerator = loadAccelerator(name);
  requireUnchanged('network', model, Object(Object(checksums).networks)[model], network.checksum);
  requireUnchanged('accelerator', name, Object(acceleratorsResolved)[name], accelerator);
  return { network, accelerator, placement: placeForStudy(study, network, accelerator) };
}

/** @throws InputError where a value from JSON is not that of the store */
function requireUnchanged(what: string, name: string, saved: unknown, present: unknown): void {
  if (JSON.stringify(saved) === JSON.stringify(present)) return;
  throw new InputError(
    `${name} is another ${what} than the study was run with: prices would be of another memory; put the former file back`,
  );
}
