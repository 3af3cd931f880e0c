/**
 * Share of the largest magnitude among the outputs of the fault-free network up to which an output may differ from
 * its own, where outputs are no scores of classes.
 */
export const OUTPUT_TOLERANCE = 0.01;

/** Whether each value is that of the fault-free network, within `OUTPUT_TOLERANCE` of the largest of those. */
export function agrees(values: Float32Array, reference: Float32Array): boolean {
  let largest = 0;
  for (const value of reference) {
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
  const tolerance = OUTPUT_TOLERANCE * largest;
  return values.every(
    (value, place) =>
      Object.is(value, reference[place]) || Math.abs(value - reference[place]) <= tolerance,
  );
}

/** The class with the largest score; among equals the first; the first NaN wins (PyTorch's argmax). */
export function top1(scores: Float32Array): number {
  let best = 0;
  for (let index = 0; index < scores.length; index += 1) {
    if (Number.isNaN(scores[index])) return index;
    if (scores[index] > scores[best]) best = index;
  }
  return best;
}

/** How many classes stand before one: NaN first, then larger scores; among equals the lower index (as `top1` has it). */
export function rankOf(scores: Float32Array, wanted: number): number {
  const own = scores[wanted];
  let before = 0;
  for (const [index, score] of scores.entries()) {
    const isFirst = index < wanted;
    if (Number.isNaN(score)) before += isFirst || !Number.isNaN(own) ? 1 : 0;
    else if (score > own || (score === own && isFirst)) before += 1;
  }
  return before;
}

/** Whether |y − t| ≤ absolute + relative · |t| of each value y and what is expected, t; equal ones are, NaN, too. */
export function withinTolerance(
  values: Float32Array,
  expected: Float32Array,
  { absolute, relative }: { readonly absolute: number; readonly relative: number },
): boolean {
  return values.every(
    (value, place) =>
      Object.is(value, expected[place]) ||
      Math.abs(value - expected[place]) <= absolute + relative * Math.abs(expected[place]),
  );
}
