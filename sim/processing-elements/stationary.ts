import { accumulate, type Elements } from './elements.js';
import {
  emptyRegisters,
  forEachElement,
  type Moving,
  type ReadRegister,
  readMoving,
  readSound,
  readWord,
} from './registers.js';
import type { GroupPorts, Srams } from './srams.js';

/**
 * The roles of the operands where one of them stays: rows of the array are window positions k, columns are filters
 * (weights stay) or output positions (inputs stay), and steps are the other of the two.
 */
export interface StationaryPorts {
  readonly columnExtent: number;
  readonly steps: number;
  readStationary(k: number, column: number): number | undefined;
  readMoving(k: number, step: number): number | undefined;
  /** How the registers of both are read. */
  readonly stationaryRegister: ReadRegister;
  readonly movingRegister: ReadRegister;
  /** The operands that words of these registers stand for. */
  stationaryOperand(word: number | undefined, column: number): number | undefined;
  movingOperand(word: number | undefined, step: number): number | undefined;
  bias(step: number, column: number): number | undefined;
  readPartialSum(step: number, column: number): number | undefined;
  write(step: number, column: number, sum: number): void;
}

export function weightStationaryPorts(
  srams: Srams,
  ports: GroupPorts,
  { weights }: Elements,
): StationaryPorts {
  return {
    columnExtent: srams.filters,
    steps: srams.positions,
    readStationary: (k, n) => ports.readWeight(k, n),
    readMoving: (k, m) => ports.readInput(m, k),
    stationaryRegister: weights,
    movingRegister: readSound,
    stationaryOperand: (word, n) => ports.weightOf(word, n),
    movingOperand: (input) => input,
    bias: (_, n) => ports.bias(n),
    readPartialSum: (m, n) => ports.readPartialSum(m, n),
    write: (m, n, sum) => ports.write(m, n, sum),
  };
}

export function inputStationaryPorts(
  srams: Srams,
  ports: GroupPorts,
  { weights }: Elements,
): StationaryPorts {
  return {
    columnExtent: srams.positions,
    steps: srams.filters,
    readStationary: (k, m) => ports.readInput(m, k),
    readMoving: (k, n) => ports.readWeight(k, n),
    stationaryRegister: readSound,
    movingRegister: weights,
    stationaryOperand: (input) => input,
    movingOperand: (word, n) => ports.weightOf(word, n),
    bias: (n) => ports.bias(n),
    readPartialSum: (n, m) => ports.readPartialSum(m, n),
    write: (n, m, sum) => ports.write(m, n, sum),
  };
}

/** A fold of the stationary operand: the window positions and columns from these on. */
export interface StationaryFold {
  readonly firstK: number;
  readonly firstColumn: number;
}

/** The sum that enters at the head of a column: the bias, or what the fold of the window positions before left. */
export function sumAtHead(
  ports: StationaryPorts,
  { firstK, firstColumn }: StationaryFold,
  step: number,
  column: number,
): Moving {
  const value =
    firstK === 0
      ? ports.bias(step, firstColumn + column)
      : ports.readPartialSum(step, firstColumn + column);
  return { step, value };
}

/**
 * One fold of a weight- or input-stationary array: element (r, c) holds the stationary operand of window position
 * `firstK` + r.
 *
 *            sums    sums          column c starts c cycles later
 *             ↓       ↓
 *   x(k)   → [ w ] → [ w ] →
 *   x(k+1) → [ w ] → [ w ] →       row r starts r cycles later
 *             ↓       ↓
 *           results  results
 *
 * First the stationary operands shift in from the north, the last row first, one row a cycle. Then the moving
 * operand enters in the west and moves one element east a cycle; sums enter in the north and move one south,
 * growing by one product in each element. Those of step s meet in element (r, c) in cycle R + s + r + c.
 * Window positions ascend down the rows and over the folds, so a sum takes its products in ascending order of k.
 *
 * @returns cycles from the first stationary operand to the last sum
 */
export function stationaryFold(
  ports: StationaryPorts,
  fold: StationaryFold,
  elements: Elements,
): number {
  const { rows, columns } = elements;
  const { firstK, firstColumn } = fold;
  const held = emptyRegisters<number>(rows, columns);
  let cycle = 0;
  for (; cycle < rows; cycle++) {
    forEachElement(rows, columns, (r, c) => {
      held[r][c] =
        r === 0
          ? ports.readStationary(firstK + rows - 1 - cycle, firstColumn + c)
          : readWord(ports.stationaryRegister, r - 1, c, held[r - 1][c]);
    });
  }

  const moving = emptyRegisters<Moving>(rows, columns);
  const sums = emptyRegisters<Moving>(rows, columns);
  const isStep = (step: number) => step >= 0 && step < ports.steps;
  for (let finished = 0; finished < columns * ports.steps; cycle++) {
    const stream = cycle - rows;
    forEachElement(rows, columns, (r, c) => {
      const operand =
        c === 0
          ? movingFromSram(r, stream - r)
          : readMoving(ports.movingRegister, r, c - 1, moving[r][c - 1]);
      const sum =
        r === 0 ? sumFromSram(c, stream - c) : readMoving(elements.sums, r - 1, c, sums[r - 1][c]);
      moving[r][c] = operand;
      sums[r][c] = sum && {
        step: sum.step,
        value: accumulate(elements, r, c, sum.value ?? 0, ...operandsOf(r, c, operand)),
      };
      const result = readMoving(elements.sums, r, c, sums[r][c]);
      if (r === rows - 1 && result?.value !== undefined) {
        ports.write(result.step, firstColumn + c, result.value);
        finished++;
      }
    });
  }
  return cycle;

  /** The operand that passes an element and the one that stays there. */
  function operandsOf(
    row: number,
    column: number,
    operand: Moving | undefined,
  ): [number | undefined, number | undefined] {
    if (operand === undefined) return [undefined, undefined];
    const passing = readWord(ports.movingRegister, row, column, operand.value);
    const staying = readWord(ports.stationaryRegister, row, column, held[row][column]);
    return [
      ports.movingOperand(passing, operand.step),
      ports.stationaryOperand(staying, firstColumn + column),
    ];
  }

  function movingFromSram(row: number, step: number): Moving | undefined {
    return isStep(step) ? { step, value: ports.readMoving(firstK + row, step) } : undefined;
  }

  function sumFromSram(column: number, step: number): Moving | undefined {
    return isStep(step) ? sumAtHead(ports, fold, step, column) : undefined;
  }
}
