import { windowSize } from '../../core/index.js';
import { type ConvolutionPlan, firstInput, PANEL_COLUMNS, packedColumn } from './plan.js';

/** Packs weights in network order into the panels of `plan`; `packed` must hold zeros. */
export function packWeights<Weights extends Int8Array | Float32Array>(
  plan: ConvolutionPlan,
  weights: Weights,
  packed: Weights extends Int8Array ? Int8Array | Int16Array : Float32Array,
  zeroPoints?: Int32Array,
): void {
  const { shape } = plan;
  const window = windowSize(shape);
  const taps = shape.kernel[0] * shape.kernel[1];
  const offsets = columnOffsets(plan);
  for (let output = 0; output < shape.output.channels; output++) {
    const column = packedColumn(plan, output);
    const first = firstInput(plan, output) * taps;
    const zeroPoint = zeroPoints?.[output] ?? 0;
    const source = output * window;
    for (let i = 0; i < window; i++) {
      packed[column + offsets[first + i]] = weights[source + i] - zeroPoint;
    }
  }
}

/**
 * Where the weights for each input channel of a group, in network order, lie in a column: the same for every column, so
 * that the divisions, half of the time of packing, are done once.
 */
function columnOffsets({ shape, groupInputs, depth }: ConvolutionPlan): Uint32Array {
  const taps = shape.kernel[0] * shape.kernel[1];
  const offsets = new Uint32Array(groupInputs * taps);
  for (let input = 0, index = 0; input < groupInputs; input++) {
    for (let tap = 0; tap < taps; tap++) {
      const k = tap * groupInputs + input;
      offsets[index++] = Math.floor(k / depth) * PANEL_COLUMNS * depth + (k % depth);
    }
  }
  return offsets;
}
