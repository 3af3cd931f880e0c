import { featureCount } from '../../core/index.js';
import type { KernelBackend } from '../backend.js';
import { checkPoolingShape, checkTensors } from '../check.js';

/** The definition of {@link KernelBackend.maxPool}; -0 counts as smaller than +0. */
export const maxPool: KernelBackend['maxPool'] = (shape, input, output, images) => {
  checkPoolingShape(shape, 'max');
  checkTensors(shape, input, output, images);
  const { height, width, channels } = shape.input;
  const inputLength = featureCount(shape.input);
  let target = 0;
  for (let image = 0; image < images; image++) {
    for (let outputY = 0; outputY < shape.output.height; outputY++) {
      const top = outputY * shape.strides[0] - shape.pads[0];
      for (let outputX = 0; outputX < shape.output.width; outputX++) {
        const left = outputX * shape.strides[1] - shape.pads[1];
        for (let channel = 0; channel < channels; channel++) {
          let largest = Number.NEGATIVE_INFINITY;
          for (let y = Math.max(top, 0); y < Math.min(top + shape.kernel[0], height); y++) {
            for (let x = Math.max(left, 0); x < Math.min(left + shape.kernel[1], width); x++) {
              const value = input[image * inputLength + (y * width + x) * channels + channel];
              largest = Math.max(largest, value);
            }
          }
          output[target++] = largest;
        }
      }
    }
  }
};
