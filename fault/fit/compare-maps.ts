import type { FaultMap } from '../fault-map.js';
import { faultMapOf } from '../generate/fault-map-of.js';
import { type LineCounts, lineCountsOf, varianceToMean } from '../inspect/line-counts.js';
import { pairShares } from '../inspect/pair-share.js';
import { rowParityOf } from '../inspect/row-parity.js';
import type { FaultModelFit } from './fit-fault-model.js';

/** The statistics by which maps are compared, in words. */
export const MAP_STATISTICS = {
  faults: 'faults',
  bankVariance: 'variance/mean of banks',
  rowVariance: 'variance/mean of rows',
  columnVariance: 'variance/mean of columns',
  worstBank: 'worst bank',
  worstRow: 'worst row',
  worstColumn: 'worst column',
  cleanBanks: 'share of clean banks',
  faultyColumns: 'columns with faults',
  pairShare: 'share of faults with a partner',
  rowParity: 'share of faults in rows of one parity',
} as const;

/** What is compared; see MAP_STATISTICS. */
export type MapStatistic = keyof typeof MAP_STATISTICS;

/** A value of each statistic; undefined where a map has none, such as the parity of two faults. */
export type MapStatistics = Readonly<Record<MapStatistic, number | undefined>>;

/**
 * The statistics of a map.
 *
 * @param pairDistance distance of the partners that are counted, in columns; undefined: none
 */
export function mapStatistics(map: FaultMap, pairDistance: number | undefined): MapStatistics {
  const { banks, rows, columns } = lineCountsOf(map);
  const faults = map.cells.length;
  const pairs = pairShares(map).find(({ distance }) => distance === pairDistance);
  return {
    faults,
    bankVariance: varianceToMean(banks),
    rowVariance: varianceToMean(rows),
    columnVariance: varianceToMean(columns),
    worstBank: most(banks),
    worstRow: most(rows),
    worstColumn: most(columns),
    cleanBanks: 1 - banks.lines.length / banks.all,
    faultyColumns: columns.lines.length,
    pairShare: pairDistance === undefined || faults === 0 ? undefined : (pairs?.share ?? 0),
    rowParity: rowParityOf(map)?.share,
  };
}

function most({ counts }: LineCounts): number {
  return counts.reduce((largest, count) => Math.max(largest, count), 0);
}

/** A statistic of the measured maps of one voltage beside those that the model draws. */
export interface ComparedStatistic {
  readonly name: MapStatistic;
  /** Of each map that has it, in the order of the maps. */
  readonly measured: readonly number[];
  /** Of drawn maps; undefined where none has it. */
  readonly drawn:
    | { readonly low: number; readonly median: number; readonly high: number }
    | undefined;
}

/** The statistics of the maps of one voltage. */
export interface ComparedState {
  /** In volts. */
  readonly voltage: number | undefined;
  readonly rate: number;
  readonly statistics: readonly ComparedStatistic[];
}

/** Between these quantiles of drawn maps a measured one is expected. */
const LOW = 0.05;
const HIGH = 0.95;

/**
 * The measured maps beside maps that the model draws at the rate of their voltage: 5 % and 95 % quantiles and medians of
 * the statistics. A statistic out of this range is one that the model does not hold.
 *
 * @param draws maps that are drawn for each voltage: trials 0, 1, … of the seed
 */
export function compareWithModel(
  { model, states }: FaultModelFit,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): ComparedState[] {
  const places = model.model === 'voltage' ? model.places : model;
  const largest = states.reduce((one, other) => (other.faults > one.faults ? other : one));
  const pairDistance =
    places.model === 'weak-lines' && places.pairDistance !== undefined
      ? places.pairDistance
      : pairShares(largest.maps[0].map)[0]?.distance;
  return states
    .filter(({ faults }) => faults > 0)
    .map(({ voltage, rate, maps }) => {
      const drawn = Array.from({ length: draws }, (_, trial) =>
        mapStatistics(faultMapOf(model, maps[0].map.geometry, seed, trial, rate), pairDistance),
      );
      const measured = maps.map(({ map }) => mapStatistics(map, pairDistance));
      const names = Object.keys(MAP_STATISTICS) as MapStatistic[];
      return {
        voltage,
        rate,
        statistics: names.map((name) => ({
          name,
          measured: valuesOf(measured, name),
          drawn: spread(valuesOf(drawn, name)),
        })),
      };
    });
}

function valuesOf(statistics: readonly MapStatistics[], name: MapStatistic): number[] {
  return statistics.map((of) => of[name]).filter((value) => value !== undefined);
}

function spread(values: readonly number[]): ComparedStatistic['drawn'] {
  if (values.length === 0) return undefined;
  const ascending = values.toSorted((a, b) => a - b);
  const quantile = (share: number) => ascending[Math.round(share * (ascending.length - 1))];
  return { low: quantile(LOW), median: quantile(0.5), high: quantile(HIGH) };
}
