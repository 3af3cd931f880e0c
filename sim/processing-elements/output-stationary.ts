import { accumulate, type Elements } from './elements.js';
import { emptyRegisters, forEachElement, type Moving, readMoving, readWord } from './registers.js';
import type { GroupPorts, Srams } from './srams.js';

/**
 * One fold of an output-stationary array: element (r, c) sums output position `firstM` + r of filter `firstN` + c.
 *
 *         w(k, n)  w(k, n+1)      column c starts c cycles later
 *            ↓        ↓
 *   x(m, k)  → [ sum ] → [ sum ] →
 *   x(m+1,k) → [ sum ] → [ sum ] →  row r starts r cycles later
 *
 * Inputs enter in the west and move one element east a cycle, weights enter in the north and move one south. Both
 * reach element (r, c) for k in cycle k + r + c. In the cycle of its last product an element puts its sum on the
 * output bus of its column; in a column one element finishes a cycle, so one bus is enough.
 *
 * @returns cycles from the first operand to the last sum
 */
export function outputStationaryFold(
  srams: Srams,
  ports: GroupPorts,
  firstM: number,
  firstN: number,
  elements: Elements,
): number {
  const { rows, columns } = elements;
  const steps = srams.window;
  const inputs = emptyRegisters<Moving>(rows, columns);
  const weights = emptyRegisters<Moving>(rows, columns);
  const sums = emptyRegisters<number>(rows, columns);

  function inputFromSram(row: number, step: number): Moving | undefined {
    if (step < 0 || step >= steps) return undefined;
    return { step, value: ports.readInput(firstM + row, step) };
  }

  function weightFromSram(column: number, step: number): Moving | undefined {
    if (step < 0 || step >= steps) return undefined;
    return { step, value: ports.readWeight(step, firstN + column) };
  }

  let cycle = 0;
  for (let finished = 0; finished < rows * columns; cycle++) {
    forEachElement(rows, columns, (r, c) => {
      const input = c === 0 ? inputFromSram(r, cycle - r) : inputs[r][c - 1];
      const weight =
        r === 0
          ? weightFromSram(c, cycle - c)
          : readMoving(elements.weights, r - 1, c, weights[r - 1][c]);
      inputs[r][c] = input;
      weights[r][c] = weight;
      if (input === undefined || weight === undefined) return;
      const sum = readWord(elements.sums, r, c, sums[r][c]) ?? ports.bias(firstN + c) ?? 0;
      const word = readWord(elements.weights, r, c, weight.value);
      const factor = ports.weightOf(word, firstN + c);
      const next = accumulate(elements, r, c, sum, input.value, factor);
      sums[r][c] = next;
      if (input.step === steps - 1) {
        ports.write(firstM + r, firstN + c, elements.sums(r, c, next));
        finished++;
      }
    });
  }
  return cycle;
}
