import { featureCount } from '../../core/index.js';
import type { Flatten } from '../backend.js';
import { checkTensors } from '../check.js';

/** See {@link Flatten}; `input` and `output` must not overlap. */
export const flatten: Flatten = (shape, input, output, images) => {
  checkTensors({ input: shape, output: shape }, input, output, images);
  const { channels } = shape;
  const positions = shape.height * shape.width;
  const length = featureCount(shape);
  for (let start = 0; start < images * length; start += length) {
    let target = start;
    for (let channel = 0; channel < channels; channel++) {
      let source = start + channel;
      for (let position = 0; position < positions; position++, source += channels) {
        output[target++] = input[source];
      }
    }
  }
};
