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
  type PricedPlace,
  type PriceFigures,
  type Pricing,
  profiledGranularity,
  readThresholds,
  unknownPrice,
} from '../../mitigation/index.js';
import { type Network, zooThresholds } from '../../models/index.js';
import { loadAccelerator } from '../../sim/index.js';
import { loadNetwork } from '../inputs/load-network.js';
import type { PricedPoint, StudyPrices } from '../points/mitigation-prices.js';
import type { StoredResults } from '../store/index.js';
import type { PlacedNetwork } from '../study/conditions.js';
import { partDefaults, type Study, savedStudy } from '../study/study.js';
import { entryOf, networkOf, placeForStudy } from '../trial/study-data.js';
import { type PreparedStudy, placeOf } from './prepare.js';

/** A network in the memory of an accelerator, without the figures that a user knows. */
type Place = Omit<PricedPlace, 'figures'>;

/** Prices of the mitigations of a study that is ready to run. */
export function preparedPrices({ data }: PreparedStudy, figures?: PriceFigures): StudyPrices {
  const place = (placed: PlacedNetwork): Place => ({
    network: networkOf(data, placed.model, placed.format).network,
    accelerator: entryOf(data.accelerators, placed.accelerator),
    placement: placeOf(data, placed),
  });
  return pricesOf(data.study, place, figures);
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
  return pricesOf(study, (placed) => loadPlace(study, configuration, placed), figures);
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
  place: (placed: PlacedNetwork) => Place,
  figures: PriceFigures | undefined,
): StudyPrices {
  const mitigations = new Map(study.mitigations.map((one) => [one.name, one]));
  const placeOnce = remembering(placeKey, place);
  const pricingOf = remembering(
    placeKey,
    (placed: PlacedNetwork): Pricing => createPricing({ ...placeOnce(placed), figures }),
  );
  return remembering(pointKey, (point): Price => {
    const mitigation = mitigations.get(point.mitigation);
    if (!mitigation) throw new InputError(`the study has no mitigation ${point.mitigation}`);
    if (mitigation.parts.length === 0) return PRICE_OF_NOTHING;
    return pricingOf(point)(partsOf(mitigation, study, point.model, placeOnce(point).network));
  });
}

function placeKey({ model, format, accelerator }: PlacedNetwork): string {
  return JSON.stringify([model, format, accelerator]);
}

function pointKey(point: PricedPoint): string {
  return JSON.stringify([placeKey(point), point.mitigation]);
}

/** A function that is called once for each key. */
function remembering<Argument, Result>(
  keyOf: (argument: Argument) => string,
  call: (argument: Argument) => Result,
): (argument: Argument) => Result {
  const results = new Map<string, Result>();
  return (argument) => {
    const key = keyOf(argument);
    const result = results.get(key) ?? call(argument);
    results.set(key, result);
    return result;
  };
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

function loadPlace(
  study: Study,
  { checksums, acceleratorsResolved }: Readonly<Record<string, unknown>>,
  { model, format, accelerator: name }: PlacedNetwork,
): Place {
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
