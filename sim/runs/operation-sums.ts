import { windowSize } from '../../core/index.js';
import type { Int8ArrayLayer, Int8Network } from '../../models/index.js';
import { quantizationOf } from '../datapath/operations.js';
import { invertedBits, type TransientOperation } from '../disturbance/transients.js';

/**
 * The sum of one output of an int8 layer whose operations transient faults strike, as kernels of faulty sums have it from
 * `transientSums`: for single outputs, of which these would copy the filter and the window.
 *
 * @param input of one image, with what was changed before
 * @param faults that strike this output
 */
export function operationSum(
  network: Int8Network,
  layer: Int8ArrayLayer,
  input: Uint8Array,
  { position, channel }: { readonly position: number; readonly channel: number },
  faults: readonly TransientOperation[],
): number {
  const { shape, weights, zeroPoints, bias } = layer;
  const { height, width, channels } = shape.input;
  const [kernelHeight, kernelWidth] = shape.kernel;
  const zeroPoint = quantizationOf(network, layer.input).zeroPoint;
  const weightZeroPoint = zeroPoints[channel];
  const groupInputs = channels / shape.groups;
  const group = Math.floor((channel * shape.groups) / shape.output.channels);
  const top = Math.floor(position / shape.output.width) * shape.strides[0] - shape.pads[0];
  const left = (position % shape.output.width) * shape.strides[1] - shape.pads[1];
  const window = windowSize(shape);
  const firstWeight = channel * window;
  const struck = faults.toSorted((one, other) => one.window - other.window);
  let next = 0;
  let k = 0;
  let sum = bias[channel];
  for (let inputChannel = 0; inputChannel < groupInputs; inputChannel += 1) {
    const place = group * groupInputs + inputChannel;
    for (let ky = 0; ky < kernelHeight; ky += 1) {
      const y = top + ky * shape.dilations[0];
      for (let kx = 0; kx < kernelWidth; kx += 1, k += 1) {
        const x = left + kx * shape.dilations[1];
        const isInside = y >= 0 && y < height && x >= 0 && x < width;
        const value = isInside ? input[(y * width + x) * channels + place] - zeroPoint : 0;
        let weight = weights[firstWeight + k];
        if (next === struck.length || struck[next].window !== k) {
          sum = (sum + Math.imul(value, weight - weightZeroPoint)) | 0;
          continue;
        }
        let [ofProduct, ofSum] = [0, 0];
        for (; next < struck.length && struck[next].window === k; next += 1) {
          const { register, bit } = struck[next];
          if (register === 'weight') weight = ((weight ^ (1 << bit)) << 24) >> 24;
          else if (register === 'product') ofProduct ^= invertedBits(struck[next], layer);
          else ofSum ^= invertedBits(struck[next], layer);
        }
        sum = (sum + (Math.imul(value, weight - weightZeroPoint) ^ ofProduct)) ^ ofSum;
      }
    }
  }
  return sum;
}
