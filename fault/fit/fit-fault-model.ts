import { InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { equalGeometries, formatGeometry } from '../geometry.js';
import {
  type BackgroundShares,
  type FaultModel,
  type FaultPlaces,
  parseFaultModel,
} from '../model/fault-model.js';
import { dataCellCount, dataGeometry, dataIndexOfCell } from '../regions.js';
import type { DieLabel } from './die-labels.js';
import { type FittedPlaces, fitPlaces } from './fit-places.js';

/** A map of a chip, as it was measured. */
export interface MeasuredMap extends DieLabel {
  readonly map: FaultMap;
  /** Its file, for messages. */
  readonly file: string;
}

/** The maps of one voltage, or all maps where none has one. */
export interface MeasuredState {
  /** In volts. */
  readonly voltage: number | undefined;
  readonly maps: readonly MeasuredMap[];
  /** Faulty data cells of all of them. */
  readonly faults: number;
  /** Their share of the data cells. */
  readonly rate: number;
}

/** A fault model of measured maps. */
export interface FaultModelFit {
  readonly model: FaultModel;
  /** Falling voltages. */
  readonly states: readonly MeasuredState[];
  readonly dies: number;
  /** What the model does not hold, in sentences. */
  readonly warnings: readonly string[];
}

/**
 * Estimates a fault model from measured maps of one kind of memory:
 *
 * - what faulty cells do, and the share of stuck-at-1;
 * - the rate of each voltage, the mean of its maps; where a lower voltage has a lower mean both take the mean of all
 *   their maps, and voltages without faults are left out;
 * - from the maps of the lowest voltage, where faults lie (see `fitPlaces`); from the others, the share of the
 *   background.
 *
 * Check and spare cells are left out. The result is a fault model like any other; without voltages its user states the
 * rate.
 *
 * @throws InputError when there is no fault, the memories differ, kinds or labels contradict each other
 */
export function fitFaultModel(measured: readonly MeasuredMap[]): FaultModelFit {
  requireOneMemory(measured);
  const data = measured.map((entry) => ({ ...entry, map: dataMap(entry.map) }));
  const states = statesOf(data);
  const faulty = states.filter(({ faults }) => faults > 0);
  if (faulty.length === 0) {
    throw new InputError('There is no fault in these maps; a model needs some.');
  }
  const lowest = faulty[faulty.length - 1];
  const table = voltageTable(faulty);
  const fitted = fitPlaces(lowest.maps.map(({ map }) => map).filter(({ cells }) => cells.length));
  const places = placesAtRates(fitted, faulty, table);
  const fields = {
    ...polarityOf(data),
    ...(lowest.voltage === undefined ? places : { model: 'voltage', table, places }),
  };
  const dies = new Set(measured.map(({ die }) => die)).size;
  return {
    model: parseFaultModel(fields, 'the fitted model'),
    states,
    dies,
    warnings: [
      ...(dies === 1
        ? [
            'all maps are of one chip: how chips differ is not in them, and the model is a fit to this chip that no other has confirmed',
          ]
        : []),
      ...emptyWarnings(states),
      ...pooledWarnings(faulty, table),
      ...nestingWarnings(states),
    ],
  };
}

function requireOneMemory(measured: readonly MeasuredMap[]): void {
  const [first] = measured;
  for (const { map, file } of measured) {
    if (equalGeometries(map.geometry, first.map.geometry)) continue;
    throw new InputError(
      `${first.file} is of ${formatGeometry(first.map.geometry)}, but ${file} of ${formatGeometry(map.geometry)}; fit maps of one kind of memory.`,
    );
  }
}

/** The faults in data cells, as a map of those alone. */
function dataMap({ geometry, cells, kinds, provenance }: FaultMap): FaultMap {
  const indices = Array.from(cells, (cell) => dataIndexOfCell(geometry, cell));
  return {
    geometry: dataGeometry(geometry),
    cells: Float64Array.from(indices.filter((index) => index !== undefined)),
    kinds: kinds.filter((_, fault) => indices[fault] !== undefined),
    provenance,
  };
}

/** @throws InputError when some maps have a voltage and others none, or a die has two maps of one */
function statesOf(measured: readonly MeasuredMap[]): MeasuredState[] {
  const unlabelled = measured.find(({ voltage }) => voltage === undefined);
  const labelled = measured.find(({ voltage }) => voltage !== undefined);
  if (unlabelled && labelled) {
    throw new InputError(
      `${labelled.file} is of ${labelled.voltage} V, but ${unlabelled.file} says no voltage; name the files so that --die-labels finds one in each, or in none.`,
    );
  }
  const byVoltage = new Map<number | undefined, MeasuredMap[]>();
  for (const entry of measured) {
    const maps = byVoltage.get(entry.voltage) ?? [];
    const same = maps.find(({ die }) => die === entry.die);
    if (same) {
      throw new InputError(
        `${same.file} and ${entry.file} are both of die "${entry.die}"${entry.voltage === undefined ? '' : ` at ${entry.voltage} V`}; give one map of each, or --die-labels that tells them apart.`,
      );
    }
    byVoltage.set(entry.voltage, [...maps, entry]);
  }
  return Array.from(byVoltage, ([voltage, maps]) => {
    const faults = maps.reduce((sum, { map }) => sum + map.cells.length, 0);
    return {
      voltage,
      maps,
      faults,
      rate: faults / (maps.length * dataCellCount(maps[0].map.geometry)),
    };
  }).sort((a, b) => (b.voltage ?? 0) - (a.voltage ?? 0));
}

type Polarity = Pick<FaultModel, 'faults' | 'stuckAt1Share'>;

/** @throws InputError where flips and stuck-at faults occur: a model has one or the other */
function polarityOf(measured: readonly MeasuredMap[]): Polarity {
  const counts = FAULT_KINDS.map((_, kind) =>
    measured.reduce((sum, { map }) => sum + map.kinds.filter((of) => of === kind).length, 0),
  );
  const [zeros, ones, flips] = counts;
  const kinds = FAULT_KINDS.filter((_, kind) => counts[kind] > 0);
  if (kinds.length === 1) return { faults: kinds[0] };
  if (flips > 0) {
    throw new InputError(
      `The maps have ${zeros + ones} stuck-at faults and ${flips} flips; a fault model has one or the other, so fit their maps apart.`,
    );
  }
  return { faults: 'stuck-at', stuckAt1Share: ones / (zeros + ones) };
}

interface TablePoint {
  readonly voltage: number;
  readonly rate: number;
}

/** Rates that never fall as the voltage falls: neighbours that do are pooled, each map with the same weight. */
function voltageTable(states: readonly MeasuredState[]): TablePoint[] {
  const pools: { states: MeasuredState[]; rate: number; maps: number }[] = [];
  for (const state of states) {
    pools.push({ states: [state], rate: state.rate, maps: state.maps.length });
    while (pools.length > 1 && pools[pools.length - 2].rate > pools[pools.length - 1].rate) {
      const [upper, lower] = pools.splice(-2);
      const maps = upper.maps + lower.maps;
      pools.push({
        states: [...upper.states, ...lower.states],
        rate: (upper.rate * upper.maps + lower.rate * lower.maps) / maps,
        maps,
      });
    }
  }
  return pools.flatMap(({ states: pooled, rate }) =>
    pooled.map(({ voltage = 0 }) => ({ voltage, rate })),
  );
}

/** The places with the share of the background at the rate of each state. */
function placesAtRates(
  { places, backgroundShareIn }: FittedPlaces,
  states: readonly MeasuredState[],
  table: readonly TablePoint[],
): FaultPlaces {
  if (places.model !== 'weak-lines' || places.background === undefined) return places;
  const { clustering, shares } = places.background;
  const points = [{ rate: table[table.length - 1].rate, share: shares[0].share }];
  for (let index = states.length - 2; index >= 0; index -= 1) {
    const { rate } = table[index];
    const [lower] = points;
    const share = backgroundShareIn(states[index].maps.map(({ map }) => map));
    if (share === undefined || rate >= lower.rate) continue;
    points.unshift({ rate, share: nestedShare(share, rate, lower) });
  }
  return { ...places, background: { clustering, shares: points } };
}

/** A little less than allowed, so that rounding makes neither part of the faults fall with the rate. */
const ROUNDING = 1e-9;

/** The nearest share with which neither the background nor the rest has more faults than at the higher rate. */
function nestedShare(share: number, rate: number, higher: BackgroundShares[number]): number {
  const most = (higher.rate * higher.share * (1 - ROUNDING)) / rate;
  const least = 1 - (higher.rate * (1 - higher.share) * (1 - ROUNDING)) / rate;
  return Math.min(Math.max(share, least, 0), most, 1);
}

function emptyWarnings(states: readonly MeasuredState[]): string[] {
  return states
    .filter(({ faults }) => faults === 0)
    .map(({ voltage }) => `no map of ${voltage} V has a fault: the model has no rate for it`);
}

function pooledWarnings(states: readonly MeasuredState[], table: readonly TablePoint[]): string[] {
  return states
    .filter(({ rate, voltage }, index) => voltage !== undefined && rate !== table[index].rate)
    .map(
      ({ voltage, rate }) =>
        `the mean rate of ${voltage} V is ${rate.toExponential(2)}, and does not rise to the next lower voltage: the model has the mean of both`,
    );
}

/** Faults that a die loses at a lower voltage, which no fault model does. */
function nestingWarnings(states: readonly MeasuredState[]): string[] {
  return states.slice(1).flatMap(({ voltage, maps }, index) => {
    const higher = states[index];
    const pairs = higher.maps.flatMap((one) => {
      const other = maps.find(({ die }) => die === one.die);
      return other ? [[one.map.cells, new Set(other.map.cells)] as const] : [];
    });
    const all = pairs.reduce((sum, [cells]) => sum + cells.length, 0);
    const lost = pairs.reduce(
      (sum, [cells, remaining]) => sum + cells.filter((cell) => !remaining.has(cell)).length,
      0,
    );
    return lost === 0
      ? []
      : [
          `${lost} of ${all} faults at ${higher.voltage} V are sound at ${voltage} V: the model keeps every fault`,
        ];
  });
}
