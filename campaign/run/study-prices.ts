import { InputError } from '../../core/index.js';
import {
  type ActivationPart,
  activationPartOf,
  createPricing,
  type Granularity,
  type Mitigation,
  type MitigationPart,
  memoryPartsOf,
  PRICE_OF_NOTHING,
  type Price,
  type PriceFigures,
  type Pricing,
  profiledGranularity,
  readThresholds,
  standsIn,
  unknownPrice,
} from '../../mitigation/index.js';
import { type Network, zooThresholds } from '../../models/index.js';
import { STORAGE_TITLES, type StorageName } from '../../sim/index.js';
import type { PricedPoint, StudyPrices } from '../points/mitigation-prices.js';
import type { StoredResults } from '../store/index.js';
import type { PlacedNetwork } from '../study/conditions.js';
import { storagesOf, WEIGHTS_ALONE } from '../study/storages.js';
import { partDefaults, type Study, savedStudy } from '../study/study.js';
import type { PreparedStudy } from './prepare.js';
import {
  placeKey,
  preparedPlaces,
  remembering,
  type StudyPlaces,
  savedPlaces,
} from './study-places.js';

/** Prices of the mitigations of a study that is ready to run. */
export function preparedPrices(prepared: PreparedStudy, figures?: PriceFigures): StudyPrices {
  return pricesOf(prepared.data.study, preparedPlaces(prepared), figures);
}

/**
 * Prices of the mitigations of a saved study; its networks are loaded when one of theirs is first asked for.
 *
 * @throws InputError when the configuration is that of no study; so do prices, when a network or an accelerator is not
 * there or has changed
 */
export function savedPrices(
  { configuration }: Pick<StoredResults, 'configuration'>,
  figures?: PriceFigures,
): StudyPrices {
  const study = savedStudy(configuration);
  return pricesOf(study, savedPlaces(study, configuration), figures);
}

/** The same, but where there is an error a price has it as the reason why nothing of it is given. */
export function savedPricesOrReasons(
  stored: Pick<StoredResults, 'configuration'>,
  figures?: PriceFigures,
): StudyPrices {
  let prices: StudyPrices | undefined;
  return remembering(pointKey, (point) => {
    try {
      prices ??= savedPrices(stored, figures);
      return prices(point);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return unknownPrice(error.message);
    }
  });
}

function pricesOf(
  study: Study,
  place: StudyPlaces,
  figures: PriceFigures | undefined,
): StudyPrices {
  const mitigations = new Map(study.mitigations.map((one) => [one.name, one]));
  const pricingOf = remembering(
    placeKey,
    (placed: PlacedNetwork): Pricing => createPricing({ ...place(placed), figures }),
  );
  return remembering(pointKey, (point): Price => {
    const mitigation = mitigations.get(point.mitigation);
    if (!mitigation) throw new InputError(`the study has no mitigation ${point.mitigation}`);
    if (mitigation.parts.length === 0) return PRICE_OF_NOTHING;
    const elsewhere = storagesBesideWeights(mitigation, point);
    if (elsewhere.length > 0) {
      return unknownPrice(
        `it stands in ${elsewhere.map((storage) => STORAGE_TITLES[storage]).join(' and ')}, and what parts take is given of the weight memory alone`,
      );
    }
    return pricingOf(point)(partsOf(mitigation, study, point.model, place(point).network));
  });
}

function pointKey(point: PricedPoint): string {
  return JSON.stringify([placeKey(point), point.storage ?? WEIGHTS_ALONE, point.mitigation]);
}

/** The broken storages, but for weights, in which a mitigation has a part. */
function storagesBesideWeights(
  mitigation: Mitigation,
  { storage = WEIGHTS_ALONE }: PricedPoint,
): StorageName[] {
  const parts = memoryPartsOf(mitigation);
  return storagesOf(storage).filter(
    (name) => name !== WEIGHTS_ALONE && parts.some((part) => standsIn(part, name)),
  );
}

/** What parts do not say themselves, the study says, and how fine thresholds are, those that it names. */
function partsOf(
  mitigation: Mitigation,
  study: Study,
  model: string,
  network: Network,
): MitigationPart[] {
  const clip = activationPartOf(mitigation);
  if (!clip) return memoryPartsOf(mitigation);
  const { position, granularity = profileOf(clip, study, model, network) } = partDefaults(study);
  return [...memoryPartsOf(mitigation), { granularity, position, ...clip }];
}

/** What shares a threshold in the profile that a clip takes as it is; undefined: it is yet to be recorded. */
function profileOf(
  { use, granularity, thresholds }: ActivationPart,
  study: Study,
  model: string,
  network: Network,
): Granularity | undefined {
  const file = thresholds ?? study.thresholds?.[model] ?? zooThresholds(model);
  if (use === 'clip-tuned' || granularity !== undefined || file === undefined) return undefined;
  return profiledGranularity(network, readThresholds(file));
}
