import { fc } from '@fast-check/vitest';
import { arrayLayers } from '../../models/index.js';
import { int8Networks } from '../../testing/index.js';

/** A network with an accumulator maximum for each channel of each layer with an activation function. */
export const profiles = int8Networks().chain((network) => {
  const layers = arrayLayers(network).filter(({ relu }) => relu);
  const maxima = layers.map(({ name, shape }) => {
    const { channels } = shape.output;
    const values = fc.array(fc.integer({ min: -1000, max: 2 ** 24 }), {
      minLength: channels,
      maxLength: channels,
    });
    return values.map((found) => [name, found] as const);
  });
  return fc.tuple(
    fc.constant(network),
    fc.tuple(...maxima).map((found) => new Map(found)),
  );
});
