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
