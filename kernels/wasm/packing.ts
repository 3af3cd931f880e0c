import { windowSize } from '../../core/index.js';
import { type ConvolutionPlan, PANEL_COLUMNS, packedIndex } from './plan.js';

/** Packs weights in network order into the panels of `plan`; `packed` must hold zeros. */
export function packWeights<Weights extends Int8Array | Float32Array>(
  plan: ConvolutionPlan,
  weights: Weights,
  packed: Weights extends Int8Array ? Int16Array : Float32Array,
  zeroPoints?: Int32Array,
): void {
  const { shape } = plan;
  const window = windowSize(shape);
  const offsets = columnOffsets(plan);
  for (let output = 0; output < shape.output.channels; output++) {
    const first = packedIndex(plan, output * window);
    const zeroPoint = zeroPoints?.[output] ?? 0;
    const source = output * window;
    for (let i = 0; i < window; i++) packed[first + offsets[i]] = weights[source + i] - zeroPoint;
  }
}

/**
 * Where the weights of an output channel, in network order, lie after its first one: the same for every channel, so
 * that the divisions, half of the time of packing, are done once.
 */
function columnOffsets({ shape, depth }: ConvolutionPlan): Uint32Array {
  const taps = shape.kernel[0] * shape.kernel[1];
  const groupInputs = shape.input.channels / shape.groups;
  const offsets = new Uint32Array(windowSize(shape));
  for (let input = 0, index = 0; input < groupInputs; input++) {
    for (let tap = 0; tap < taps; tap++) {
      const k = tap * groupInputs + input;
      offsets[index++] = Math.floor(k / depth) * PANEL_COLUMNS * depth + (k % depth);
    }
  }
  return offsets;
}
