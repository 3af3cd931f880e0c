import { InputError } from '../../core/index.js';
import { type FaultMap, faultMapOf, knownFaults, rateAtVoltage } from '../../fault/index.js';
import type { Knowledge, KnownMaps } from '../../mitigation/index.js';
import {
  type DieLabels,
  dieKey,
  dieName,
  mapOfDie,
  type PlacedDie,
  type PlacedDies,
} from '../inputs/dies/index.js';
import {
  type FaultMapsRequest,
  type FaultSource,
  faultSourceName,
  trialFaultMap,
} from '../study/fault-source.js';

/**
 * What parts know of a map of a condition.
 *
 * @param whole the map
 */
export function knownMapsOf(request: FaultMapsRequest, whole: FaultMap): KnownMaps {
  const { source, seed, map } = request;
  return remembering(whole, (knows) => {
    // Without faults there are none to be known, at whatever voltage.
    if (source.kind === 'none' || source.kind === 'transient') return whole;
    return 'share' in knows
      ? knownFaults(whole, knows.share, seed, map)
      : // With no memory of others to draw in: the map itself has to stay.
        trialFaultMap({ ...request, rate: rateOfKnowledge(source, knows.voltage) });
  });
}

/** A die of a study at a voltage: all dies, and the number of its fault map there. */
export interface DieRequest {
  readonly dies: PlacedDies;
  readonly die: PlacedDie;
  readonly map: number;
  readonly seed: number;
}

/** What parts know of the map of a die, which `whole` is: a share of it, or what was measured of it at a voltage. */
export function knownMapsOfDie({ dies, die, map, seed }: DieRequest, whole: FaultMap): KnownMaps {
  return remembering(whole, (knows) => {
    if ('share' in knows) return knownFaults(whole, knows.share, seed, map);
    return mapOfDie(dies, dieAtVoltage(dies, die, knows.voltage));
  });
}

/**
 * A die as it was measured at a voltage that a part knows.
 *
 * @throws InputError naming the die where it was not
 */
export function dieAtVoltage(dies: PlacedDies, die: DieLabels, voltage: number): PlacedDie {
  const level = dies.levels.find((one) => one.voltage === voltage);
  if (level === undefined) {
    const measured = dies.levels.flatMap((one) => (one.voltage === null ? [] : [one.voltage]));
    throw new InputError(
      `knows = voltage/${voltage}: no die was measured at ${voltage} V${measured.length > 0 ? `, but at ${measured.join(', ')} V` : ''}: give one of these voltages, or a share of the faulty cells, as in knows=share/0.95`,
    );
  }
  const found = level.dies.find((one) => dieKey(one) === dieKey(die));
  if (found !== undefined) return found;
  throw new InputError(
    `knows = voltage/${voltage}: ${dieName(die)} was not measured at ${voltage} V: say --missing clean, if it has no fault there, or leave the die out`,
  );
}

/**
 * What parts know of a map that no study draws: its own seed and number say it.
 *
 * @throws InputError, when a part is asked for, where the map does not tell them
 */
export function knownMapsOfFile(whole: FaultMap): KnownMaps {
  return remembering(whole, (knows) => {
    const { provenance } = whole;
    if (provenance.source !== 'generated') {
      throw new InputError(
        `${provenance.file}: the map tells no seed and number, by which it is decided what a part with knows knows: take one in a Bitcell format that \`bitcell map create\` has written, or leave knows away`,
      );
    }
    const { model, seed, trial, selection } = provenance;
    if ('share' in knows) return knownFaults(whole, knows.share, seed, trial);
    if (selection !== undefined) {
      throw new InputError(
        `knows = voltage/${knows.voltage}: the map was drawn in ${selection} alone, which it does not tell cell by cell: give a share of the faulty cells, as in knows=share/0.95`,
      );
    }
    const rate = rateOfKnowledge({ kind: 'model', name: model.model, model }, knows.voltage);
    return faultMapOf(model, whole.geometry, seed, trial, rate);
  });
}

/**
 * The rate at which cells fail at the voltage that a part knows.
 *
 * @throws InputError where the source has no rate for it
 */
export function rateOfKnowledge(source: FaultSource, voltage: number): number {
  const where = `knows = voltage/${voltage}`;
  const remedy = 'give a share of the faulty cells instead, as in knows=share/0.95';
  if (source.kind === 'file') {
    throw new InputError(
      `${where}: the fault map ${source.file} does not tell which cells fail at other voltages: ${remedy}`,
    );
  }
  if (source.kind !== 'model') throw new Error('dies know what was measured of them');
  if (source.model.model !== 'voltage') {
    throw new InputError(
      `${where}: the fault model ${faultSourceName(source)} has no rates by voltage: take one that has, such as kc705-b, or ${remedy}`,
    );
  }
  try {
    return rateAtVoltage(source.model.table, voltage);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${where}: ${faultSourceName(source)}: ${error.message}`, {
      cause: error,
    });
  }
}

/** Each map is made once, so that who knows the same gets the same object. */
function remembering(whole: FaultMap, create: (knows: Knowledge) => FaultMap): KnownMaps {
  const maps = new Map<string, FaultMap>();
  return (knows) => {
    if (knows === undefined) return whole;
    const key = JSON.stringify(knows);
    const map = maps.get(key) ?? create(knows);
    maps.set(key, map);
    return map;
  };
}
