import { featureCount, type PoolingShape } from '../../core/index.js';

/**
 * Maximum over each window whose places are `dilations` apart, channels innermost; places outside the input count for
 * nothing, and NaN gives NaN.
 */
export function dilatedMaxPool(
  shape: PoolingShape,
  dilations: readonly [y: number, x: number],
  input: Uint8Array | Float32Array,
  output: Uint8Array | Float32Array,
  images: number,
): void {
  const { height, width, channels } = shape.input;
  const length = featureCount(shape.input);
  let target = 0;
  for (let image = 0; image < images; image += 1) {
    for (let row = 0; row < shape.output.height; row += 1) {
      const top = row * shape.strides[0] - shape.pads[0];
      for (let column = 0; column < shape.output.width; column += 1) {
        const left = column * shape.strides[1] - shape.pads[1];
        for (let channel = 0; channel < channels; channel += 1) {
          let largest = Number.NEGATIVE_INFINITY;
          for (let ky = 0; ky < shape.kernel[0]; ky += 1) {
            const y = top + ky * dilations[0];
            if (y < 0 || y >= height) continue;
            for (let kx = 0; kx < shape.kernel[1]; kx += 1) {
              const x = left + kx * dilations[1];
              if (x < 0 || x >= width) continue;
              const place = image * length + (y * width + x) * channels + channel;
              largest = Math.max(largest, input[place]);
            }
          }
          output[target] = largest;
          target += 1;
        }
      }
    }
  }
}
