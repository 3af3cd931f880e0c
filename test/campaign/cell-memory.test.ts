import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadNetwork } from '../../campaign/index.js';
import {
  bytesOfPatches,
  type Cell,
  createCellMemory,
  type Grant,
} from '../../campaign/tune/kept-values.js';
import { restartPoints } from '../../sim/index.js';

const CELLS = 5;
const IMAGES = 2;
const TASKS = 3;

/** What happens to the memory of a search, one event after the other. */
const arbitraryEvents = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('enter' as const), point: fc.nat() }),
    fc.record({ kind: fc.constant('store' as const), cell: fc.nat(CELLS - 1), key: fc.nat(2) }),
    fc.record({ kind: fc.constant('start' as const), cell: fc.nat(CELLS - 1) }),
    fc.record({ kind: fc.constant('end' as const), weights: fc.nat(60_000) }),
    fc.record({ kind: fc.constant('drop' as const) }),
  ),
  { minLength: 10, maxLength: 60 },
);

describe.each(['int8', 'float32'] as const)('what a search keeps, %s words', (format) => {
  const network = loadNetwork('alexnet', format);
  const points = restartPoints(network);

  test('stays within its budget, and nobody writes over values that are kept', () => {
    let kept = 0;
    fc.assert(
      fc.property(arbitraryEvents, fc.nat(4_000_000), (events, budget) => {
        const cells = Array.from(
          { length: CELLS },
          (_, index): Cell => ({ index, rate: 0.1, map: index }),
        );
        const sizes = { images: IMAGES, budget, tasks: TASKS };
        const memory = createCellMemory(network, cells, points, sizes);
        const marks = new Map<Cell, number>();
        const running: { cell: Cell; grant: Grant }[] = [];
        memory.enter(points[0]);
        let mark = 0;
        for (const event of events) {
          if (event.kind === 'enter') memory.enter(points[event.point % points.length]);
          else if (event.kind === 'drop') memory.dropPatches();
          else if (event.kind === 'start') {
            if (running.length === TASKS) continue;
            const cell = cells[event.cell];
            if (running.some((task) => task.cell === cell)) continue;
            running.push({ cell, grant: memory.grant(cell) });
          } else if (event.kind === 'end') {
            const task = running.shift();
            if (!task) continue;
            const words = new Uint32Array(event.weights);
            const patches = { weights: words, words, effectiveFaults: event.weights };
            const fits = bytesOfPatches(patches) <= task.grant.bytes;
            memory.settle(task.cell, task.grant, fits ? patches : undefined);
          } else {
            const cell = cells[event.cell];
            const stored = memory.roomFor(cell, String(event.key));
            if (!stored || stored === cell.stored) continue;
            cell.stored = stored;
            mark = (mark % 250) + 1;
            stored.values.fill(mark);
            marks.set(cell, mark);
            kept += 1;
          }
          const buffers = new Set(cells.flatMap(({ stored }) => stored?.values.buffer ?? []));
          const used =
            [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0) +
            cells.reduce((sum, { patches }) => sum + (patches ? bytesOfPatches(patches) : 0), 0) +
            running.reduce((sum, { grant }) => sum + grant.bytes, 0);
          expect(used).toBeLessThanOrEqual(budget);
          for (const cell of cells) {
            const values = cell.stored?.values;
            if (!values) continue;
            expect([values[0], values[values.length - 1]]).toEqual([
              marks.get(cell),
              marks.get(cell),
            ]);
          }
        }
      }),
    );
    expect(kept).toBeGreaterThan(50);
  });

  test('is everything, in a budget that is large enough', () => {
    const cells = Array.from(
      { length: CELLS },
      (_, index): Cell => ({ index, rate: 0.1, map: index }),
    );
    const sizes = { images: IMAGES, budget: 2 ** 26, tasks: TASKS };
    const memory = createCellMemory(network, cells, points, sizes);
    for (const point of points) {
      memory.enter(point);
      for (const cell of cells) expect(memory.roomFor(cell, '')?.point).toBe(point);
    }
    for (const cell of cells) expect(memory.grant(cell).bytes).toBeGreaterThan(2 ** 20);
  });
});
