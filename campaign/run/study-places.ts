import { InputError } from '../../core/index.js';
import type { PricedPlace } from '../../mitigation/index.js';
import { loadNetwork } from '../../models/index.js';
import { loadAccelerator } from '../../sim/index.js';
import type { PlacedNetwork } from '../study/conditions.js';
import type { Study } from '../study/study.js';
import { entryOf, networkOf, placeForStudy } from '../trial/study-data.js';
import { type PreparedStudy, placeOf } from './prepare.js';

/** A network in the memory of an accelerator, without the figures that a user knows. */
export type Place = Omit<PricedPlace, 'figures'>;

/**
 * The networks of a study in the memories of its accelerators.
 *
 * @throws InputError, of a saved study, when a network or an accelerator is not there or has changed
 */
export type StudyPlaces = (placed: PlacedNetwork) => Place;

/** Those of a study that is ready to run. */
export function preparedPlaces({ data }: PreparedStudy): StudyPlaces {
  return remembering(placeKey, (placed) => ({
    network: networkOf(data, placed.model, placed.format).network,
    accelerator: entryOf(data.accelerators, placed.accelerator),
    placement: placeOf(data, placed),
  }));
}

/** Those of a saved study; each is loaded when it is first asked for. */
export function savedPlaces(
  study: Study,
  configuration: Readonly<Record<string, unknown>>,
): StudyPlaces {
  return remembering(placeKey, (placed) => loadPlace(study, configuration, placed));
}

export function placeKey({ model, format, accelerator }: PlacedNetwork): string {
  return JSON.stringify([model, format, accelerator]);
}

/** A function that is called once for each key. */
export function remembering<Argument, Result>(
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

function loadPlace(
  study: Study,
  { checksums, acceleratorsResolved }: Readonly<Record<string, unknown>>,
  { model, format, accelerator: name }: PlacedNetwork,
): Place {
  const network = loadNetwork(model, format);
  const accelerator = loadAccelerator(name);
  requireUnchanged('network', model, Object(Object(checksums).networks)[model], network.checksum);
  const saved = Object(acceleratorsResolved)[name];
  requireUnchanged('accelerator', name, withoutEnergy(saved), withoutEnergy(accelerator));
  return { network, accelerator, placement: placeForStudy(study, network, accelerator) };
}

/** @throws InputError where a value from JSON is not that of the store */
function requireUnchanged(what: string, name: string, saved: unknown, present: unknown): void {
  if (JSON.stringify(saved) === JSON.stringify(present)) return;
  throw new InputError(
    `${name} is another ${what} than the study was run with: prices would be of another memory; put the former file back`,
  );
}

/** An accelerator without what changes no result and may be learned later: what it takes, and at which voltage. */
function withoutEnergy(accelerator: unknown): object {
  const { energyTable: _, supply: __, ...rest } = Object(accelerator);
  return rest;
}
