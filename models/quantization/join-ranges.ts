import { type Float32Network, inputsOf, isOnArray, type Layer } from '../network.js';
import { definitionOf, isMoving } from '../operators/index.js';
import type { ActivationRange } from './affine.js';

/** What keeps a range below the bound of an activation function after its scale is rounded to float32. */
const BELOW_BOUND = 1 - 2 ** -22;

/**
 * The range to quantise each tensor for: from zero on where no value is negative, up to the bound of an activation
 * function, and one for all tensors joined by layers that only move values. The latter is the range of
 * those that something computes with, because clamping before a maximum is the same as clamping after it.
 */
export function joinRanges(
  network: Float32Network,
  ranges: readonly ActivationRange[],
): ActivationRange[] {
  const layers: readonly Layer[] = network.layers;
  const bounded = [...ranges];
  const first = ranges.map((_, tensor) => tensor);
  const used = new Set([network.output]);
  const rectified = new Set<number>();
  for (const layer of layers) {
    const { output } = layer;
    const rectifiedInputs = inputsOf(layer).map((tensor) => rectified.has(tensor));
    if (definitionOf(layer).isRectified?.(layer, rectifiedInputs)) {
      rectified.add(output);
      const upper = isOnArray(layer) && layer.upper ? layer.upper * BELOW_BOUND : Infinity;
      bounded[output] = { low: 0, high: Math.min(bounded[output].high, upper) };
    }
    if (isMoving(layer)) first[output] = first[inputsOf(layer)[0]];
    else for (const tensor of inputsOf(layer)) used.add(tensor);
  }
  const joined = new Map<number, ActivationRange>();
  for (const tensor of used) {
    const range = bounded[tensor];
    const { low, high } = joined.get(first[tensor]) ?? range;
    joined.set(first[tensor], {
      low: Math.min(low, range.low),
      high: Math.max(high, range.high),
    });
  }
  return bounded.map((range, tensor) => joined.get(first[tensor]) ?? range);
}
