import type { FaultMap } from '../fault-map.js';
import type { CellGeometry } from '../geometry.js';
import { bitLinesOf, type LineShape } from '../model/bit-lines.js';
import type { FaultPlaces } from '../model/fault-model.js';
import type { CountGroup, LineDensities } from './count-likelihood.js';

/** One way to divide a memory into lines that are weak or strong as a whole, and the model that has such lines. */
export interface LineDivision {
  /** Whether the model can have a background besides. */
  readonly takesBackground: boolean;
  readonly modelOf: (densities: LineDensities) => FaultPlaces;
  /** The faults of the lines of some maps. */
  readonly countsIn: (maps: readonly FaultMap[]) => readonly CountGroup[];
}

/** Rows of a bit line that may share a fate: all, every second one, every fourth, every eighth. */
const ROW_STRIDES = [1, 2, 4, 8];

/**
 * Divisions that the lines of chips are compared with: banks and rows (as regions of `clusters`), and bit lines (as
 * `weak-lines`). Where faults come in pairs, only weak lines hold them.
 *
 * @param geometry of data cells alone
 */
export function lineDivisions(
  geometry: CellGeometry,
  pairDistance: number | undefined,
): LineDivision[] {
  const strides = ROW_STRIDES.filter((stride) => stride <= geometry.rows);
  const bitLines = strides.map((rowStride) =>
    weakLines(geometry, { rows: geometry.rows, rowStride, pairDistance }),
  );
  return pairDistance === undefined
    ? [...bitLines, regions(geometry, 'bank'), regions(geometry, 'row')]
    : bitLines;
}

function weakLines(geometry: CellGeometry, shape: LineShape): LineDivision {
  const lines = bitLinesOf(shape, geometry);
  return {
    takesBackground: true,
    modelOf: ({ clustering, background }) => ({
      model: 'weak-lines',
      clustering,
      ...(background && {
        background: {
          clustering: background.clustering,
          shares: [{ rate: 1, share: background.share }],
        },
      }),
      ...shape,
    }),
    countsIn: (maps) => countGroups(maps, lines.count, (line) => lines.lengthOf(line), placeOf),
  };

  function placeOf(cell: number) {
    const { line, position } = lines.placeOf(cell);
    return { line, place: position };
  }
}

function regions(geometry: CellGeometry, region: 'bank' | 'row'): LineDivision {
  const { banks, rows, columns } = geometry;
  const length = region === 'bank' ? rows * columns : columns;
  return {
    takesBackground: false,
    modelOf: ({ clustering }) => ({
      model: 'clusters',
      clustering,
      region,
      clusterSize: 1,
      spread: 1,
    }),
    countsIn: (maps) =>
      countGroups(
        maps,
        (banks * rows * columns) / length,
        () => length,
        (cell) => ({ line: Math.floor(cell / length), place: cell }),
      ),
  };
}

/** Faulty places of each line of each map: the two cells of a pair are one place. */
function countGroups(
  maps: readonly FaultMap[],
  count: number,
  lengthOf: (line: number) => number,
  placeOf: (cell: number) => { readonly line: number; readonly place: number },
): CountGroup[] {
  const groups = new Map<number, Map<number, number>>();
  const add = (length: number, faults: number, number: number) => {
    const lines = groups.get(length) ?? new Map<number, number>();
    groups.set(length, lines.set(faults, (lines.get(faults) ?? 0) + number));
  };
  for (let line = 0; line < count; line += 1) add(lengthOf(line), 0, maps.length);
  for (const { cells } of maps) {
    const faulty = new Map<number, Set<number>>();
    for (const cell of cells) {
      const { line, place } = placeOf(cell);
      faulty.set(line, (faulty.get(line) ?? new Set()).add(place));
    }
    for (const [line, places] of faulty) {
      add(lengthOf(line), 0, -1);
      add(lengthOf(line), places.size, 1);
    }
  }
  groups.delete(0);
  return Array.from(groups, ([length, lines]) => ({ length, lines }));
}
