import { accumulate, type Elements } from './elements.js';
import { emptyRegisters, forEachElement, type Moving, readMoving, readWord } from './registers.js';
import { type StationaryFold, type StationaryPorts, sumAtHead } from './stationary.js';

/** A fold of one group. */
export interface Tile extends StationaryFold {
  readonly ports: StationaryPorts;
}

/** Gemmini's least number of steps of a tile, as ONNXim models it. */
const MINIMUM_STEPS = 4;

/** What the corner element (0, 0) does in a cycle; row r and column c do it r + c cycles later. */
interface Slot {
  readonly tile: Tile;
  readonly step: number;
}

/**
 * A weight-stationary array whose elements have a second weight register: while the products of a tile are computed
 * from `held`, the next tile's weights shift into `next`. The first operand of a tile that reaches an element makes it
 * take over its `next` weight.
 *
 * Weights shift in as in `stationaryFold`, the last row first, but row r and column c start r + c cycles later, behind
 * the operand that takes over the weights before them. Down the column, each hop has a register of its own (`link`)
 * beside the element's: it delays a weight by the cycle by which the next row starts later.
 *
 * The tiles are computed in turn; all take equally many steps, at least four.
 *
 * @returns cycles from the first weight to the last sum
 */
export function preloadingTiles(tiles: readonly Tile[], elements: Elements): number {
  const { rows, columns, shifting } = elements;
  const { loads, steps } = schedule(tiles, rows);
  const next = emptyRegisters<number>(rows, columns);
  const link = emptyRegisters<number>(rows, columns);
  const held = emptyRegisters<number>(rows, columns);
  const moving = emptyRegisters<Moving>(rows, columns);
  const sums = emptyRegisters<Moving>(rows, columns);
  // The last element is the last to see a step.
  const cycles = steps.length + rows - 1 + columns - 1;

  for (let cycle = 0; cycle < cycles; cycle++) {
    forEachElement(rows, columns, (r, c) => {
      const slot = steps[cycle - r - c];
      const operand = c === 0 ? movingFromSram(r, slot) : moving[r][c - 1];
      const sum =
        r === 0 ? sumFromSram(c, slot) : readMoving(elements.sums, r - 1, c, sums[r - 1][c]);
      if (operand?.step === 0) held[r][c] = readWord(shifting, r, c, next[r][c]);
      moving[r][c] = operand;
      sums[r][c] = sum && {
        step: sum.step,
        value: accumulate(elements, r, c, sum.value ?? 0, operand?.value, factorOf(r, c, slot)),
      };
      const load = loads[cycle - r - c];
      if (load) {
        const arriving = r === 0 ? weightFromSram(c, load) : link[r - 1][c];
        link[r][c] = readWord(shifting, r, c, next[r][c]);
        next[r][c] = arriving;
      }
      const result = readMoving(elements.sums, r, c, sums[r][c]);
      if (r === rows - 1 && slot && result?.value !== undefined) {
        slot.tile.ports.write(result.step, slot.tile.firstColumn + c, result.value);
      }
    });
  }
  return cycles;

  function factorOf(row: number, column: number, slot: Slot | undefined): number | undefined {
    const word = readWord(elements.weights, row, column, held[row][column]);
    return slot?.tile.ports.stationaryOperand(word, slot.tile.firstColumn + column);
  }

  function movingFromSram(row: number, slot: Slot | undefined): Moving | undefined {
    if (slot === undefined) return undefined;
    const { tile, step } = slot;
    if (step >= tile.ports.steps) return undefined;
    return { step, value: tile.ports.readMoving(tile.firstK + row, step) };
  }

  function sumFromSram(column: number, slot: Slot | undefined): Moving | undefined {
    if (slot === undefined || slot.step >= slot.tile.ports.steps) return undefined;
    return sumAtHead(slot.tile.ports, slot.tile, slot.step, column);
  }

  function weightFromSram(column: number, { tile, step }: Slot): number | undefined {
    return tile.ports.readStationary(tile.firstK + rows - 1 - step, tile.firstColumn + column);
  }
}

/**
 * When the corner element shifts weights in and when it takes operands, cycle by cycle (empty: it waits). The first
 * tile's operands wait for its weights; then a tile starts when the one before has sent its last step and its own
 * weights, which started to shift in when the one before began, are there.
 */
function schedule(
  tiles: readonly Tile[],
  rows: number,
): {
  readonly loads: readonly (Slot | undefined)[];
  readonly steps: readonly (Slot | undefined)[];
} {
  const loads: (Slot | undefined)[] = [];
  const steps: (Slot | undefined)[] = [];
  let loadStart = 0;
  let start = rows;
  for (const tile of tiles) {
    const stepCount = Math.max(tile.ports.steps, MINIMUM_STEPS);
    for (let step = 0; step < rows; step++) loads[loadStart + step] = { tile, step };
    for (let step = 0; step < stepCount; step++) steps[start + step] = { tile, step };
    loadStart = start;
    start += Math.max(stepCount, rows);
  }
  return { loads, steps };
}
