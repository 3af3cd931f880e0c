import { PURPOSE } from '../../core/index.js';
import { type FaultList, mergeFaults } from '../fault-list.js';
import { type CellGeometry, cellCount, checkGeometry } from '../geometry.js';
import type { ClusterRegion, FaultPlaces } from '../model/fault-model.js';
import { requireRate } from './fault-order.js';
import { cellOfPart, type MemoryPart, memoryParts, partStream } from './parts.js';
import { kindsOf } from './polarity.js';
import { requireRoomForFaults } from './room.js';
import type { GeneratorOptions } from './uniform.js';
import { exponential, gammaOfMeanOne, normal, sourceOf, type UniformSource } from './variates.js';

export type ClusterModel = Extract<FaultPlaces, { model: 'clusters' }>;

/** After so many satellites that would fall outside the region or on a faulty cell, one becomes a centre. */
const SATELLITE_ATTEMPTS = 32;

/** A block of cells of one bank of a part. */
interface Region {
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

function regionSize(region: ClusterRegion, { rows, columns }: CellGeometry) {
  switch (region) {
    case 'bank':
      return { rows, columns };
    case 'row':
      return { rows: 1, columns };
    case 'column':
      return { rows, columns: 1 };
    default:
      return region;
  }
}

function* regionsOf(region: ClusterRegion, geometry: CellGeometry): Generator<Region> {
  const size = regionSize(region, geometry);
  for (let bank = 0; bank < geometry.banks; bank += 1) {
    for (let row = 0; row < geometry.rows; row += size.rows) {
      for (let column = 0; column < geometry.columns; column += size.columns) {
        const rows = Math.min(size.rows, geometry.rows - row);
        const columns = Math.min(size.columns, geometry.columns - column);
        yield { bank, row, column, rows, columns };
      }
    }
  }
}

/**
 * Clustered faults. In each region the number of faults is negative binomial with mean rate · cells and
 * Stapper's clustering parameter α: variance mean + mean²/α, no fault with probability
 * (1 + mean/α)^−α (his yield formula). It is drawn as a Poisson process in the mean, at a density that
 * a gamma variate fixes for the region: so the faults of a lower rate are a prefix of those of a higher
 * one, and maps are nested in rate. A region cannot have more faults than cells; only there the
 * distribution is cut.
 *
 * The number says nothing about places (a negative binomial is silent on them). Each fault begins a new
 * cluster, at a place drawn uniformly in the region, with probability 1/clusterSize, or else is a
 * satellite of the latest centre. Clusters do not leave their region.
 *
 * @throws InputError when the rate or the geometry is out of range, or there are more than 2^24 regions.
 */
export function clusterFaults(
  model: ClusterModel,
  { geometry, seed, trial, polarity, selection }: GeneratorOptions,
  rate: number,
): FaultList {
  checkGeometry(geometry, 'The memory');
  requireRate(rate);
  requireRoomForFaults(rate * cellCount(geometry), rate, geometry);
  const parts = memoryParts(geometry).filter((part) => part.number === 0 || !selection);
  const lists = parts.map((part) => {
    const indices: number[] = [];
    let number = 0;
    for (const region of regionsOf(model.region, part.geometry)) {
      for (const cell of cellsOfRegion(model, region, part, { seed, trial, number, rate })) {
        if (selection === undefined || selection.has(cell)) indices.push(cell);
      }
      number += 1;
    }
    const faulty = Float64Array.from(indices).sort();
    const kinds = partStream(seed, trial, PURPOSE.faultKind, part.number);
    return {
      cells: faulty.map((cell) => cellOfPart(geometry, part, cell)),
      kinds: kindsOf(faulty, polarity, kinds),
    };
  });
  return mergeFaults(lists);
}

interface RegionDraw {
  readonly seed: number;
  readonly trial: number;
  readonly number: number;
  readonly rate: number;
}

/** Faulty cells of a region in the order in which they fail as the rate grows, numbered in its part. */
function cellsOfRegion(
  model: ClusterModel,
  region: Region,
  part: MemoryPart,
  { seed, trial, number, rate }: RegionDraw,
): Iterable<number> {
  const stream = (purpose: number) =>
    sourceOf(partStream(seed, trial, purpose, part.number, number));
  const cells = region.rows * region.columns;
  const limit = rate * cells * gammaOfMeanOne(model.clustering, stream(PURPOSE.regionDensity));
  const arrival = stream(PURPOSE.faultArrival);
  let time = exponential(arrival);
  if (time > limit) return [];
  const place = createPlacer(model, region, stream(PURPOSE.clusterPlace));
  const faulty = new Set<number>();
  for (; time <= limit && faulty.size < cells; time += exponential(arrival)) {
    const { row, column } = place((candidate) => !faulty.has(indexOf(candidate)));
    faulty.add(indexOf({ row, column }));
  }
  return faulty;

  function indexOf({ row, column }: Place): number {
    const { rows, columns } = part.geometry;
    return (region.bank * rows + region.row + row) * columns + region.column + column;
  }
}

/** A cell by its row and column within a region. */
interface Place {
  readonly row: number;
  readonly column: number;
}

/** Gives one place after the other that is free. */
function createPlacer(
  { clusterSize, spread }: ClusterModel,
  { rows, columns }: Region,
  next: UniformSource,
): (isFree: (place: Place) => boolean) => Place {
  let centre: Place | undefined;

  function satellite(around: Place): Place {
    return {
      row: around.row + Math.round(spread * normal(next)),
      column: around.column + Math.round(spread * normal(next)),
    };
  }

  const isInside = ({ row, column }: Place) =>
    row >= 0 && row < rows && column >= 0 && column < columns;

  return (isFree) => {
    if (centre !== undefined && next() >= 1 / clusterSize) {
      for (let attempt = 0; attempt < SATELLITE_ATTEMPTS; attempt += 1) {
        const place = satellite(centre);
        if (isInside(place) && isFree(place)) return place;
      }
    }
    do {
      centre = { row: Math.floor(next() * rows), column: Math.floor(next() * columns) };
    } while (!isFree(centre));
    return centre;
  };
}
