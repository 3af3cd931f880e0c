import { InputError, PURPOSE, requireMemory } from '../../core/index.js';
import { mergeFaults } from '../fault-list.js';
import { cellCount, checkGeometry, formatGeometry } from '../geometry.js';
import { backgroundRate } from '../model/background.js';
import { type BitLines, bitLinesOf, type WeakLines } from '../model/bit-lines.js';
import { requireRate } from './fault-order.js';
import { cellOfPart, type MemoryPart, memoryParts, partStream } from './parts.js';
import { kindsOf } from './polarity.js';
import { requireRoomForFaults } from './room.js';
import type { FaultsAtRate, GeneratorOptions } from './uniform.js';
import { exponential, gammaOfMeanOne, sourceOf, type UniformSource } from './variates.js';

/** Each line has so many numbers of a stream for itself. */
const NUMBERS_PER_LINE = 2 ** 24;
const MOST_LINES = 2 ** 29;

/** Two densities, the first arrival, and a line of a listing. */
const BYTES_PER_LINE = 32;

/** Of the lines of a part, what does not depend on the rate. */
interface DrawnLines {
  readonly lines: BitLines;
  /** Gamma variates of mean 1 by which a line is worse than the mean. */
  readonly density: Float64Array;
  readonly backgroundDensity: Float64Array;
  /** Expected faults of the line at which its first one occurs. */
  readonly firstArrival: Float64Array;
}

/**
 * Faults of weak bit lines (see `FaultModel`). The faults of a line are a Poisson process in their expected number,
 * cells · (rate · density + background rate · background density), which does not fall as the rate rises: so the faults
 * of a lower rate are the first ones of a higher rate, and maps are nested. Their places are drawn uniformly in the
 * line, those that are taken again. A line cannot have more faults than cells; only there the distribution is cut.
 *
 * @throws InputError when the rate or the geometry is out of range, or there are more than 2^29 lines
 */
export function createWeakLineFaults(model: WeakLines, options: GeneratorOptions): FaultsAtRate {
  const { geometry, seed, trial, polarity, selection } = options;
  checkGeometry(geometry, 'The memory');
  const parts = memoryParts(geometry).filter((part) => part.number === 0 || !selection);
  const drawn = parts.map((part) => drawLines(model, part, options));
  return (rate) => {
    requireRate(rate);
    requireRoomForFaults(rate * cellCount(geometry), rate, geometry);
    const lists = parts.map((part, index) => {
      const place = partStream(seed, trial, PURPOSE.clusterPlace, part.number);
      const arrival = partStream(seed, trial, PURPOSE.faultArrival, part.number);
      const cells = faultyCells(model, drawn[index], rate, (line) => ({
        place: sourceOf(place, line * NUMBERS_PER_LINE),
        arrival: sourceOf(arrival, line * NUMBERS_PER_LINE + 1),
      })).filter((cell) => selection === undefined || selection.has(cell));
      const faulty = Float64Array.from(cells).sort();
      const kinds = partStream(seed, trial, PURPOSE.faultKind, part.number);
      return {
        cells: faulty.map((cell) => cellOfPart(geometry, part, cell)),
        kinds: kindsOf(faulty, polarity, kinds),
      };
    });
    return mergeFaults(lists);
  };
}

function drawLines(
  model: WeakLines,
  { geometry, number }: MemoryPart,
  { seed, trial }: GeneratorOptions,
): DrawnLines {
  const lines = bitLinesOf(model, geometry);
  const { count } = lines;
  if (count > MOST_LINES) {
    throw new InputError(
      `Random numbers exist for ${MOST_LINES} weak lines, and ${formatGeometry(geometry)} have ${count}; use longer lines.`,
    );
  }
  requireMemory(count * BYTES_PER_LINE, `The weak lines of ${formatGeometry(geometry)}`);
  const densities = partStream(seed, trial, PURPOSE.regionDensity, number);
  const arrivals = partStream(seed, trial, PURPOSE.faultArrival, number);
  const density = new Float64Array(count);
  const backgroundDensity = new Float64Array(count);
  const firstArrival = new Float64Array(count);
  for (let line = 0; line < count; line += 1) {
    const next = sourceOf(densities, line * NUMBERS_PER_LINE);
    density[line] = gammaOfMeanOne(model.clustering, next);
    if (model.background) {
      backgroundDensity[line] = gammaOfMeanOne(model.background.clustering, next);
    }
    firstArrival[line] = exponential(sourceOf(arrivals, line * NUMBERS_PER_LINE));
  }
  return { lines, density, backgroundDensity, firstArrival };
}

/** Random numbers of a line: the places of its faults, and the gaps between them after the first. */
type LineSources = (line: number) => {
  readonly place: UniformSource;
  readonly arrival: UniformSource;
};

/** Cells that are faulty at a rate, numbered in their part, in any order. */
function faultyCells(
  { background }: WeakLines,
  { lines, density, backgroundDensity, firstArrival }: DrawnLines,
  rate: number,
  sourcesOf: LineSources,
): number[] {
  const ofBackground = background ? backgroundRate(background.shares, rate) : 0;
  const ofDensity = rate - ofBackground;
  const faulty: number[] = [];
  for (let line = 0; line < lines.count; line += 1) {
    const expected = ofDensity * density[line] + ofBackground * backgroundDensity[line];
    const length = lines.lengthOf(line);
    const limit = expected * length;
    if (firstArrival[line] > limit || length === 0) continue;
    const { place, arrival } = sourcesOf(line);
    const places = new Set<number>();
    for (
      let time = firstArrival[line];
      time <= limit && places.size < length;
      time += exponential(arrival)
    ) {
      let position = Math.floor(place() * length);
      while (places.has(position)) position = Math.floor(place() * length);
      places.add(position);
    }
    for (const position of places) faulty.push(...lines.cellsAt(line, position));
  }
  return faulty;
}
