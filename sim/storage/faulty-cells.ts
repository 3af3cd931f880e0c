import { type FaultMap, requireGeometry } from '../../fault/index.js';
import { countCells, countFaultyCells, type FaultyCells } from '../disturbance/weight-hits.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import { type ArrayLayer, arrayHits } from './array-hits.js';
import type { PlacedStorage } from './placed-storage.js';

/**
 * Counts the faulty cells of a map by what a storage uses them for: cells of a feature map that is of another storage are
 * unused, and so are registers through which nothing of a layer comes.
 *
 * @param layers those that run on the array
 * @throws InputError when the map is of another memory
 */
export function countStorageCells(
  map: FaultMap,
  storage: PlacedStorage,
  layers: readonly ArrayLayer[],
  array: SystolicArray,
): FaultyCells {
  const { cells, name, geometry } = storage;
  requireGeometry(map, geometry, `The fault map of ${name}`);
  switch (cells.kind) {
    case 'weights':
      return countFaultyCells(map, cells.placement);
    case 'feature-maps': {
      const { featureMaps, tensors } = cells;
      return countCells(map, featureMaps.memory, featureMaps.valueBits, (slot) =>
        tensors.some(({ placement }) => placement.occupancy(slot) > 0),
      );
    }
    case 'accumulator-memory':
    case 'registers': {
      const free =
        cells.kind === 'registers'
          ? { unused: map.cells.length, check: 0, spare: 0 }
          : countCells(map, cells.memory, 32, () => false);
      // The hits of a cell come one after the other.
      let [used, last] = [0, -1];
      for (const { fault } of arrayHits(map, storage, layers, array)) {
        if (fault !== last) used += 1;
        last = fault;
      }
      return { ...free, used, unused: free.unused - used };
    }
  }
}
