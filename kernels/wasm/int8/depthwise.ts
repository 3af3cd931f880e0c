import type { Int8ConvolutionSpecification } from '../../backend.js';
import type { DepthwisePlaces } from '../memory.js';
import type { ConvolutionPlan } from '../plan.js';
import { type Workspace, writeDescriptor } from '../workspace.js';
import { depthwiseFields } from './descriptors.js';
import type { Int8Computation } from './transformed.js';

/** Channels of one step: the lanes of a vector of int16. */
const LANES = 8;

/** A convolution in which each channel has a filter of its own. */
export function depthwiseConvolution(
  workspace: Workspace,
  plan: ConvolutionPlan,
  specification: Int8ConvolutionSpecification,
  places: DepthwisePlaces,
): Int8Computation {
  const { buffer, functions } = workspace;
  const { shape } = plan;
  const { channels, height, width } = shape.output;
  const { accumulators } = workspace.places;
  const taps = shape.kernel[0] * shape.kernel[1];
  const pairs = Math.ceil(taps / 2);
  const zeroPoints = specification.weightZeroPoints.slice();
  const packed = new Int16Array(
    buffer,
    places.weights,
    Math.ceil(channels / LANES) * pairs * LANES * 2,
  );
  new Uint8Array(buffer, places.padding, channels).fill(specification.inputZeroPoint);
  const fields = depthwiseFields(plan, specification, places);
  writeDescriptor(workspace, places.depthwiseDescriptor, 'DepthwiseDescriptor', fields);

  function packedIndex(index: number): number {
    const tap = index % taps;
    const channel = (index - tap) / taps;
    const lane = channel % LANES;
    const block = ((channel - lane) / LANES) * pairs + (tap >> 1);
    return (block * LANES + lane) * 2 + (tap & 1);
  }

  function setWeight(index: number, value: number): void {
    packed[packedIndex(index)] = value - zeroPoints[Math.floor(index / taps)];
  }

  for (const [index, weight] of specification.weights.entries()) setWeight(index, weight);
  return {
    setWeight,
    invertBits(bits) {
      for (const [index, inverted] of bits.entries()) {
        if (inverted === 0) continue;
        const zeroPoint = zeroPoints[Math.floor(index / taps)];
        const weight = packed[packedIndex(index)] + zeroPoint;
        setWeight(index, ((weight ^ inverted) << 24) >> 24);
      }
    },
    getWeight: (index) => packed[packedIndex(index)] + zeroPoints[Math.floor(index / taps)],
    run(input, output, images, observe) {
      const total = images * height * width;
      for (let firstRow = 0; firstRow < total; firstRow += plan.blockRows) {
        const rows = Math.min(plan.blockRows, total - firstRow);
        functions.accumulateDepthwise(
          places.depthwiseDescriptor,
          input,
          accumulators,
          firstRow,
          rows,
        );
        if (observe) {
          const block = new Int32Array(buffer, accumulators, rows * plan.rowStride);
          observe(block, firstRow, rows, plan.rowStride);
        }
        functions.requantize(
          places.finishDescriptor,
          accumulators,
          output + firstRow * channels,
          firstRow,
          rows,
        );
      }
    },
  };
}
