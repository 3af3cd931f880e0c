import { InputError, PURPOSE, type RandomStream } from '../../core/index.js';
import type { FaultMap } from '../fault-map.js';
import { partOfCell, partStream } from './parts.js';

/**
 * The faults of a map that are active while an image passes: each with the given probability, by one
 * draw for each (seed, trial, image, cell) that depends on nothing else. Of a greater probability the
 * active faults include those of a smaller one.
 *
 * @param image Number of the image, below 2^24.
 * @returns The map without its inactive faults, with the provenance of the map.
 * @throws InputError when the probability is not from 0 to 1, or another number is out of range.
 */
export function activeFaults(
  map: FaultMap,
  probability: number,
  seed: number,
  trial: number,
  image: number,
): FaultMap {
  return drawnFaults(map, probability, 'a fault is active', (part) =>
    partStream(seed, trial, PURPOSE.faultActivity, part, image),
  );
}

/**
 * The faults of a map that are known: each with the probability `share`, by one draw for each (seed, trial, cell) that
 * depends on nothing else. Of a greater share the known faults include those of a smaller one.
 *
 * @returns The map without the unknown faults, with the provenance of the map.
 * @throws InputError when the share is not from 0 to 1, or another number is out of range.
 */
export function knownFaults(map: FaultMap, share: number, seed: number, trial: number): FaultMap {
  return drawnFaults(map, share, 'a fault is known', (part) =>
    partStream(seed, trial, PURPOSE.faultKnowledge, part),
  );
}

/** @param streamOf the stream of the draws in a part of the memory */
function drawnFaults(
  map: FaultMap,
  probability: number,
  what: string,
  streamOf: (part: number) => RandomStream,
): FaultMap {
  if (!(probability >= 0 && probability <= 1)) {
    throw new InputError(
      `The probability that ${what} is ${probability}, but must be a number from 0 to 1.`,
    );
  }
  const streams = [0, 1, 2].map(streamOf);
  const isDrawn = map.cells.map((cell) => {
    const { part, index } = partOfCell(map.geometry, cell);
    return streams[part].uniform(index) < probability ? 1 : 0;
  });
  return {
    ...map,
    cells: map.cells.filter((_, fault) => isDrawn[fault] === 1),
    kinds: map.kinds.filter((_, fault) => isDrawn[fault] === 1),
  };
}
