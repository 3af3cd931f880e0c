import { InputError } from '../../core/index.js';
import { inferenceCost } from '../../sim/index.js';
import type { StoredResults } from '../store/index.js';
import type { PlacedNetwork } from '../study/conditions.js';
import { savedStudy } from '../study/study.js';
import type { PreparedStudy } from './prepare.js';
import {
  placeKey,
  preparedPlaces,
  remembering,
  type StudyPlaces,
  savedPlaces,
} from './study-places.js';
import type { ImageEnergy, StudyEnergies } from './vmin-energy.js';

/** What images take on the accelerators of a study that is ready to run. */
export function preparedEnergies(prepared: PreparedStudy): StudyEnergies {
  return energiesOf(preparedPlaces(prepared));
}

/** The same of a saved study; where there is an error, it is the reason why nothing is given. */
export function savedEnergiesOrReasons({
  configuration,
}: Pick<StoredResults, 'configuration'>): StudyEnergies {
  const places = () => savedPlaces(savedStudy(configuration), configuration);
  return remembering(placeKey, (placed) => {
    try {
      return energiesOf(places())(placed);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return unknownEnergy(placed, error.message);
    }
  });
}

function energiesOf(places: StudyPlaces): StudyEnergies {
  return (placed) => {
    const { network, accelerator } = places(placed);
    const { model, format, accelerator: name } = placed;
    const { energyTable, supply = null } = accelerator;
    if (energyTable === undefined) {
      return { ...unknownEnergy(placed, `${name} has no energy table (energyTable)`), supply };
    }
    const { energy } = inferenceCost(network, accelerator);
    if (!energy) throw new Error('an energy table without an energy');
    const { table, total, components, notGiven } = energy;
    return {
      ...{ model, format, accelerator: name, table, total, components, notGiven, supply },
      reason: supply === null ? `${name} does not say its nominal voltage (supply.nominal)` : null,
    };
  };
}

function unknownEnergy({ model, format, accelerator }: PlacedNetwork, reason: string): ImageEnergy {
  return {
    ...{ model, format, accelerator, table: null, total: null, components: null },
    ...{ notGiven: [], supply: null, reason },
  };
}
