import type { ConvolutionShape } from '../../core/index.js';

/**
 * Visits the taps of one window in the order that defines a float32 sum: ky, then kx, then the input
 * channel, ascending. `input` is an offset into the image, or -1 where the tap lies on padding; `weight`
 * is an offset into the weights of one output channel.
 */
export function forEachTap(
  shape: ConvolutionShape,
  group: number,
  outputY: number,
  outputX: number,
  visit: (input: number, weight: number) => void,
): void {
  const { height, width, channels } = shape.input;
  const [kernelHeight, kernelWidth] = shape.kernel;
  const groupChannels = channels / shape.groups;
  for (let ky = 0; ky < kernelHeight; ky++) {
    const y = outputY * shape.strides[0] - shape.pads[0] + ky * shape.dilations[0];
    for (let kx = 0; kx < kernelWidth; kx++) {
      const x = outputX * shape.strides[1] - shape.pads[1] + kx * shape.dilations[1];
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      for (let channel = 0; channel < groupChannels; channel++) {
        const weight = (channel * kernelHeight + ky) * kernelWidth + kx;
        const pixel = (y * width + x) * channels + group * groupChannels;
        visit(inside ? pixel + channel : -1, weight);
      }
    }
  }
}

/** Visits the output positions of `images` images; `row` numbers them, image-major. */
export function forEachPosition(
  shape: ConvolutionShape,
  images: number,
  visit: (row: number, image: number, y: number, x: number) => void,
): void {
  let row = 0;
  for (let image = 0; image < images; image++) {
    for (let y = 0; y < shape.output.height; y++) {
      for (let x = 0; x < shape.output.width; x++) visit(row++, image, y, x);
    }
  }
}
