import { InputError } from '../../core/index.js';
import { type Decision, decideCheapest } from '../points/decision.js';
import { type PriceUnit, priceIn, type StudyPrices } from '../points/mitigation-prices.js';
import { type FrontMember, paretoFront } from '../points/pareto-front.js';
import type { PointCounts, ResultFilter, StoredResults } from '../store/index.js';
import { keyFromColumns, type PointKey } from '../study/columns.js';
import { savedStudy } from '../study/study.js';

/** The decision for one condition of a study. */
export interface ConditionDecision extends Omit<PointKey, 'mitigation'>, Decision {
  readonly priceUnit: PriceUnit;
  /** The candidates between price and mean loss, in the order of the candidates. */
  readonly front: readonly FrontMember[];
}

/** What is asked of the mitigations of a saved study; what is left away, the study says. */
export interface CheapestOptions {
  /** Percentage points that a good map may lose. */
  readonly within?: number | undefined;
  /** Share of the maps that have to be good. */
  readonly yield?: number | undefined;
  readonly priceUnit: PriceUnit;
  readonly prices: StudyPrices;
}

/**
 * Name the mitigation with the least price that meets a requirement, for each condition of a saved study that has maps.
 *
 * @throws InputError when the study is of given maps, which are no sample; when there is an error with its prices; when
 * its trials are damaged
 */
export async function findCheapest(
  stored: StoredResults,
  filter: ResultFilter,
  { priceUnit, prices, ...asked }: CheapestOptions,
): Promise<ConditionDecision[]> {
  const study = savedStudy(stored.configuration);
  if (study.faultMaps) {
    throw new InputError(
      'the study is of given fault maps: how many maps are good can be said of drawn ones only',
    );
  }
  if (study.dies) {
    throw new InputError(
      'the study is of measured dies, whose yield `bitcell results` prints for each mitigation; prices are compared in studies of drawn maps',
    );
  }
  const requirement = {
    within: asked.within ?? study.within,
    yield: asked.yield ?? study.yield,
  };
  return byCondition(await stored.counts(filter)).map((group) => {
    const { mitigation: _, ...condition } = keyFromColumns(({ field }) => group[0][field] ?? null);
    const counts = group.map((one) => {
      const { images } = one;
      if (typeof images !== 'number') throw new Error('drawn maps with different images');
      return { ...one, images, ...priceIn(prices(one), priceUnit) };
    });
    const decision = decideCheapest(counts, requirement);
    return {
      ...condition,
      priceUnit,
      ...decision,
      front: paretoFront(decision.candidates, counts),
    };
  });
}

function byCondition(all: readonly PointCounts[]): PointCounts[][] {
  const groups = new Map<number, PointCounts[]>();
  for (const counts of all) {
    groups.set(counts.condition, [...(groups.get(counts.condition) ?? []), counts]);
  }
  return [...groups.values()];
}
