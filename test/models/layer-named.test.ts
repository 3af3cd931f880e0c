import { expect, test } from 'vitest';
import { InputError } from '../../core/index.js';
import { layerIndex, layerNamed, weightedLayers } from '../../models/index.js';
import { smallNetwork } from '../campaign/small-network.js';

const network = smallNetwork();

test('finds each layer with weights, and its place among all', () => {
  for (const layer of weightedLayers(network)) {
    expect(layerNamed(network, layer.name)).toBe(layer);
    expect(network.layers[layerIndex(network, layer.name)]).toBe(layer);
  }
});

test('a mistyped name is told with the nearest one, and with what holds it', () => {
  const sentence = 'small has no layer "cnv2" with weights (did you mean "conv2"?)';
  expect(() => layerNamed(network, 'cnv2')).toThrow(new InputError(sentence));
  expect(() => layerIndex(network, 'cnv2')).toThrow(new InputError(sentence));
  expect(() => layerNamed(network, 'cnv2', 'T.json')).toThrow(
    new InputError(`T.json: ${sentence}`),
  );
});

test('a layer without weights is none', () => {
  expect(network.layers.map(({ name }) => name)).toContain('pool');
  expect(() => layerNamed(network, 'pool')).toThrow('small has no layer "pool" with weights');
});
