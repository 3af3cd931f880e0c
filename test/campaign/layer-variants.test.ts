import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createLayerRunner } from '../../campaign/tune/layer-runner.js';
import {
  createClippedVariants,
  createPlainVariants,
  type LayerVariants,
} from '../../campaign/tune/layer-variants.js';
import { featureCount } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import type { LayerThresholds } from '../../mitigation/index.js';
import { arrayLayers, dequantize, type Float32Network, type Network } from '../../models/index.js';
import { createNetworkDatapath, type RestartPoint, restartPoints } from '../../sim/index.js';
import { int8Networks, xorshift } from '../../testing/index.js';
import { architectures, patchesOf } from '../sim/bit-faults.js';

const kernels = loadKernels();
const IMAGES = 3;

/** A layer that has a restart point behind it, the places around it, and a runner with faulty weights. */
function prepare(network: Network, choice: number, shares: readonly number[], bit: number) {
  const points = restartPoints(network);
  const places = arrayLayers(network).flatMap(({ name, shape }) => {
    const index = network.layers.findIndex((layer) => layer.name === name);
    const behind = points.find(({ layer }) => layer > index);
    const point = points.findLast(({ layer }) => layer <= index) ?? {
      layer: 0,
      tensor: network.input,
    };
    return behind ? [{ name, shape, point, behind }] : [];
  });
  if (places.length === 0) return undefined;
  const place = places[choice % places.length];
  const runner = createLayerRunner(network, createNetworkDatapath(network, kernels, IMAGES));
  runner.datapath.setDisturbance({ weights: patchesOf(network, shares, bit) });
  return { ...place, runner };
}

/** Values of one image at a point. */
function valuesAt(network: Network, { tensor }: RestartPoint): number {
  return featureCount(network.tensors[tensor].shape);
}

/** What the layers in front of a point make of random images. */
function valuesInFront(
  { datapath, install, run }: ReturnType<typeof createLayerRunner>,
  point: RestartPoint,
): Uint8Array | Float32Array {
  const { network, tensors } = datapath;
  const random = xorshift(1);
  const length = featureCount(network.tensors[network.input].shape) * IMAGES;
  datapath.loadImages(
    Float32Array.from({ length }, () => (random() - 0.5) * 20),
    IMAGES,
  );
  install(new Map());
  run(0, point.layer, IMAGES);
  return tensors[point.tensor].slice(0, valuesAt(network, point) * IMAGES);
}

/** The largest finite outputs of the layer without a clip, 0 where there are none, in the order of thresholds. */
function largestOutputs(
  { datapath, install, load, run }: ReturnType<typeof createLayerRunner>,
  { point, values }: { readonly point: RestartPoint; readonly values: Uint8Array | Float32Array },
  name: string,
  count: number,
): number[] {
  const index = datapath.network.layers.findIndex((layer) => layer.name === name);
  const { output } = datapath.network.layers[index];
  const { shape } = datapath.network.tensors[output];
  install(new Map());
  load(point, values, 0, IMAGES);
  run(point.layer, index + 1, IMAGES);
  const largest = new Array<number>(count).fill(0);
  const neurons = featureCount(shape);
  const positions = neurons / shape.channels;
  for (const [place, value] of datapath.tensors[output].entries()) {
    const channel = place % shape.channels;
    const position = Math.floor((place % neurons) / shape.channels);
    const neuron = channel * positions + position;
    const threshold = Math.floor((neuron * count) / neurons);
    if (Number.isFinite(value)) largest[threshold] = Math.max(largest[threshold], value);
  }
  return largest;
}

/** What several sets of thresholds leave behind the layer, as bytes, for each batch of one and two images. */
function bytesOf(
  variants: LayerVariants,
  { datapath }: ReturnType<typeof createLayerRunner>,
  behind: RestartPoint,
  sets: readonly LayerThresholds[],
): Uint8Array[] {
  const length = valuesAt(datapath.network, behind);
  return [
    { first: 0, size: 1 },
    { first: 1, size: 2 },
  ].flatMap(({ first, size }) => {
    variants.start(first, size);
    return sets.map((thresholds) => {
      variants.run(thresholds);
      return new Uint8Array(datapath.tensors[behind.tensor].slice(0, size * length).buffer);
    });
  });
}

/** Of a layer's largest outputs. */
const shares = fc.constantFrom(-1, 0, 0.25, 0.5, 0.75, 1, 10);

const networks = fc.oneof(int8Networks(), architectures).map((network) => dequantize(network));

describe('createClippedVariants', () => {
  property.prop(
    [
      ...([networks, fc.nat()] as const),
      fc.array(shares, { minLength: 1, maxLength: 5 }),
      fc.constantFrom<('layer' | 'channel' | 'neuron')[]>('layer', 'channel', 'neuron'),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 4 }),
      fc.constantFrom(30, 30, 29, 31, 22),
    ],
    { numRuns: 200 },
  )(
    'leaves what runs of the layer leave, to the bit',
    (network, choice, chosen, granularity, faulty, bit) => {
      const prepared = prepare(network, choice, faulty, bit);
      fc.pre(prepared !== undefined);
      const { name, shape, point, behind, runner } = prepared;
      const values = valuesInFront(runner, point);
      const options = { runner, point, behind, values };
      const count = {
        layer: 1,
        channel: shape.output.channels,
        neuron: featureCount(shape.output),
      }[granularity];
      const maxima = largestOutputs(runner, options, name, count);
      const sets = chosen.map(
        (share): LayerThresholds =>
          new Map([[name, maxima.map((value) => Math.fround(share * value))]]),
      );
      const clipped = createClippedVariants(options, name, sets);
      const upper = arrayLayers(network).find((layer) => layer.name === name)?.upper;
      expect(clipped === undefined).toBe(upper !== undefined);
      if (!clipped) return;
      expect(bytesOf(clipped, runner, behind, sets)).toEqual(
        bytesOf(createPlainVariants(options), runner, behind, sets),
      );
    },
  );

  test('is there only where what the largest threshold leaves tells about the others', () => {
    const [int8] = fc.sample(int8Networks(), { numRuns: 1, seed: 3 });
    const float32 = dequantize(int8);
    const of = (network: Network, make: (channels: number) => readonly (readonly number[])[]) => {
      const prepared = prepare(network, 0, [], 0);
      if (!prepared) throw new Error('a network without a point between two layers');
      const { name, shape, runner, point, behind } = prepared;
      const values = valuesInFront(runner, point);
      const sets = make(shape.output.channels).map((thresholds) => new Map([[name, thresholds]]));
      return createClippedVariants({ runner, point, behind, values }, name, sets);
    };
    const filled = (channels: number, value: number) => new Array<number>(channels).fill(value);
    const ordered = (channels: number) => [filled(channels, 3), filled(channels, 2)];
    const crossing = (channels: number) => [filled(channels, 3).with(0, 1), filled(channels, 2)];
    expect(of(float32, ordered)).toBeDefined();
    expect(of(float32, crossing)).toBeUndefined();
    expect(of(int8, ordered)).toBeUndefined();
    expect(of(withLargestOutput(float32), ordered)).toBeUndefined();
  });
});

function withLargestOutput(network: Float32Network): Float32Network {
  const layers = network.layers.map((layer) =>
    'weights' in layer ? { ...layer, upper: 6 } : layer,
  );
  return { ...network, layers };
}
