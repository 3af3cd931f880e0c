import type { FaultList } from '../fault-list.js';
import { type FaultMap, mapOfFaults } from '../fault-map.js';
import type { CellGeometry } from '../geometry.js';
import type { FaultModel, FaultPlaces } from '../model/fault-model.js';
import { type CellSelection, intersectSelections, selectionOfScope } from '../model/selection.js';
import { dataIndexOfCell } from '../regions.js';
import { clusterFaults } from './clusters.js';
import type { FaultBuffers } from './fault-buffers.js';
import { lineFaults } from './lines.js';
import { createUniformFaults, type FaultsAtRate, type GeneratorOptions } from './uniform.js';
import { createWeakLineFaults } from './weak-lines.js';

/**
 * The fault map of a model for one trial: a pure function of its arguments. Maps of all models are
 * nested: those of one (model, geometry, seed, trial) hold at a higher rate every fault of a lower one,
 * of the same kind. Check and spare cells fail at the same rate as data cells and never change the data
 * faults. Uniform maps have floor(rate · data cells) faults or one more; whole lines accordingly; of
 * clusters and weak lines the number is random.
 *
 * @param rate Share of the cells that fail, 0 … 1: of all cells, or of those of the scope and selection.
 * @param selection Restricts the faults to some data cells, such as those of a layer. Then, and under a
 * scope, check and spare cells do not fail. Uniform models draw from the selected cells alone; of
 * whole lines, clusters and weak lines, drawn over the memory, the faults in selected cells remain.
 * @throws InputError when the rate, geometry, seed, trial or scope is out of range.
 */
export function faultMapOf(
  model: FaultModel,
  geometry: CellGeometry,
  seed: number,
  trial: number,
  rate: number,
  selection?: CellSelection,
): FaultMap {
  return nestedFaultMaps(model, geometry, seed, trial, selection)(rate);
}

/**
 * `faultMapOf` as a function of the rate, for several rates one after the other: uniform faults at a rate that is not
 * below the last one cost only the draws that it adds, and weak lines are drawn once.
 *
 * @param buffers memory to draw in; each map is then valid until the next one is drawn with them
 */
export function nestedFaultMaps(
  model: FaultModel,
  geometry: CellGeometry,
  seed: number,
  trial: number,
  selection?: CellSelection,
  buffers?: FaultBuffers,
): (rate: number) => FaultMap {
  const faultsAt = faultsOf(model.model === 'voltage' ? model.places : model, {
    geometry,
    seed,
    trial,
    polarity: { faults: model.faults, stuckAt1Share: model.stuckAt1Share },
    selection: selectedCells(model, geometry, selection),
    buffers,
  });
  return (rate) =>
    mapOfFaults(faultsAt(rate), {
      geometry,
      provenance: {
        source: 'generated',
        model,
        seed,
        trial,
        rate,
        ...(selection && { selection: selection.name }),
      },
    });
}

function selectedCells(
  { scope }: FaultModel,
  geometry: CellGeometry,
  selection: CellSelection | undefined,
): CellSelection | undefined {
  if (scope === undefined) return selection;
  const scoped = selectionOfScope(geometry, scope);
  return selection === undefined ? scoped : intersectSelections(scoped, selection);
}

function faultsOf(places: FaultPlaces, options: GeneratorOptions): FaultsAtRate {
  switch (places.model) {
    case 'uniform':
      return createUniformFaults(options);
    case 'clusters':
      return (rate) => clusterFaults(places, options, rate);
    case 'weak-lines':
      return createWeakLineFaults(places, options);
    default:
      return (rate) => selectedOnly(lineFaults(places.model, options, rate), options);
  }
}

/** The faults in selected cells. */
function selectedOnly(list: FaultList, { geometry, selection }: GeneratorOptions): FaultList {
  if (selection === undefined) return list;
  const isSelected = list.cells.map((cell) => {
    const index = dataIndexOfCell(geometry, cell);
    return index !== undefined && selection.has(index) ? 1 : 0;
  });
  return {
    cells: list.cells.filter((_, fault) => isSelected[fault] === 1),
    kinds: list.kinds.filter((_, fault) => isSelected[fault] === 1),
  };
}
