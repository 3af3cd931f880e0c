import { windowSize } from '../../core/index.js';
import { type ConvolutionPlan, PANEL_COLUMNS, packedIndex } from './plan.js';

/** Packs weights in network order into the panels of `plan`; `packed` must hold zeros. */
export function packWeights<Weights extends Int8Array | Float32Array>(
  plan: ConvolutionPlan,
  weights: Weights,
  packed: Weights extends Int8Array ? Int16Array : Float32Array,
  zeroPoints?: Int32Array,
): void {
  const { shape, depth } = plan;
  const taps = shape.kernel[0] * shape.kernel[1];
  const groupInputs = shape.input.channels / shape.groups;
  const window = windowSize(shape);
  for (let output = 0; output < shape.output.channels; output++) {
    const first = packedIndex(plan, output * window);
    const zeroPoint = zeroPoints?.[output] ?? 0;
    let source = output * window;
    for (let input = 0; input < groupInputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        const k = tap * groupInputs + input;
        const offset = Math.floor(k / depth) * PANEL_COLUMNS * depth + (k % depth);
        packed[first + offset] = weights[source++] - zeroPoint;
      }
    }
  }
}
