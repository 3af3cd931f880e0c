import { PURPOSE } from '../../core/index.js';
import { type FaultList, mergeFaults } from '../fault-list.js';
import { type CellGeometry, checkGeometry } from '../geometry.js';
import { createFaultOrder, faultCount } from './fault-order.js';
import { type MemoryPart, memoryParts, partStream } from './parts.js';
import { kindsOf } from './polarity.js';
import { requireRoomForFaults } from './room.js';
import type { GeneratorOptions } from './uniform.js';

export type LineModel = 'rows' | 'columns' | 'banks';

/** The lines of a part: how many there are, and the cells of each in the whole memory, ascending. */
interface Lines {
  readonly count: number;
  readonly cellsOf: (line: number) => Iterable<number>;
}

/** A failing line takes all its cells with it: a word line those of check and spare columns, too. */
function linesOf(model: LineModel, memory: CellGeometry, part: MemoryPart): Lines | undefined {
  const { rows, columns } = memory;
  switch (model) {
    case 'rows': {
      // The word lines of check and spare columns are those of the data cells.
      if (part.number === 1) return undefined;
      const perBank = part.geometry.rows;
      return {
        count: memory.banks * perBank,
        cellsOf(line) {
          const bank = Math.floor(line / perBank);
          const row = part.row + line - bank * perBank;
          return range((bank * rows + row) * columns, columns, 1);
        },
      };
    }
    case 'columns': {
      // The bit lines of spare rows are those of the rows above.
      if (part.number === 2) return undefined;
      const perBank = part.geometry.columns;
      return {
        count: memory.banks * perBank,
        cellsOf(line) {
          const bank = Math.floor(line / perBank);
          const column = part.column + line - bank * perBank;
          return range(bank * rows * columns + column, rows, columns);
        },
      };
    }
    case 'banks':
      return part.number === 0
        ? {
            count: memory.banks,
            cellsOf: (bank) => range(bank * rows * columns, rows * columns, 1),
          }
        : undefined;
  }
}

/** Cells of a line of the whole memory. */
function cellsOfLine(model: LineModel, { rows, columns }: CellGeometry): number {
  return { rows: columns, columns: rows, banks: rows * columns }[model];
}

function* range(first: number, count: number, step: number): Generator<number> {
  for (let index = 0; index < count; index += 1) yield first + index * step;
}

/**
 * Whole word lines, bit lines or banks that fail, drawn uniformly without replacement; the rate is the
 * share of them. Prefixes of one order: nested in rate. The kind belongs to the line.
 */
export function lineFaults(
  model: LineModel,
  { geometry, seed, trial, polarity }: GeneratorOptions,
  rate: number,
): FaultList {
  checkGeometry(geometry, 'The memory');
  const lists = memoryParts(geometry).flatMap((part) => {
    const lines = linesOf(model, geometry, part);
    if (lines === undefined) return [];
    const stream = (purpose: number) => partStream(seed, trial, purpose, part.number);
    const remainder = stream(PURPOSE.faultCount).uniform(0);
    const count = faultCount(rate, lines.count, remainder);
    requireRoomForFaults(count * cellsOfLine(model, geometry), rate, geometry);
    const order = createFaultOrder(lines.count, stream(PURPOSE.faultOrder));
    const failing = order.prefix(count);
    const kinds = kindsOf(failing, polarity, stream(PURPOSE.faultKind));
    return Array.from(failing, (line, index) => {
      const cells = Float64Array.from(lines.cellsOf(line));
      return { cells, kinds: new Uint8Array(cells.length).fill(kinds[index]) };
    });
  });
  return mergeFaults(lists);
}
