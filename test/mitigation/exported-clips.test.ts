import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type FeatureShape, featureCount } from '../../core/index.js';
import { createReferenceBackend } from '../../kernels/index.js';
import {
  activationUnits,
  type ClipPosition,
  float32Clips,
  int8Clips,
  type LayerThresholds,
  profileMaxima,
  thresholdCount,
} from '../../mitigation/index.js';
import {
  dequantize,
  type Int8Network,
  type Network,
  quantizedName,
  writeClipped,
  writeFloat32Exposed,
} from '../../models/index.js';
import { createDatapath } from '../../sim/index.js';
import { int8Networks } from '../../testing/index.js';
import { runOnnx } from '../models/onnxruntime.js';

const IMAGES = 3;
const mitigations = fc.constantFrom('clip' as const, 'clamp' as const);
const levels = ['disabled', 'all'] as const;

/** image × height × width × channel to image × channel × height × width. */
function inNetworkOrder(
  values: Uint8Array | Float32Array,
  { channels, height, width }: FeatureShape,
): number[] {
  const positions = height * width;
  return Array.from({ length: IMAGES * channels * positions }, (_, index) => {
    const image = Math.floor(index / (channels * positions));
    const channel = Math.floor(index / positions) % channels;
    return values[(image * positions + (index % positions)) * channels + channel];
  });
}

/** The same network whose files hold all activations as int8, which the simulator keeps as uint8, 128 more. */
function signed(network: Int8Network): Int8Network {
  return {
    ...network,
    tensors: network.tensors.map(({ quantization, ...tensor }) => ({
      ...tensor,
      ...(quantization && { quantization: { ...quantization, signed: true } }),
    })),
  };
}

function imagesFor(network: Int8Network): Float32Array {
  const length = featureCount(network.tensors[network.input].shape) * IMAGES;
  return Float32Array.from({ length }, (_, index) => 15 * Math.sin(1 + index * 78.233));
}

/** Shares of the profile that neighbouring neurons get, so that no two of them have the same threshold. */
const SHARES = [0.25, 1, 0.5, 0.75, 0.375];

/** A threshold for each neuron, of a profile of any granularity. */
function neuronThresholds(network: Network, profile: LayerThresholds): LayerThresholds {
  const convert = network.format === 'int8' ? Math.floor : Math.fround;
  return new Map(
    [...profile].map(([layer, values]) => {
      const count = thresholdCount(network, layer, 'neuron');
      const thresholdOf = (neuron: number) =>
        values[Math.floor((neuron * values.length) / count)] * SHARES[neuron % SHARES.length];
      return [layer, Array.from({ length: count }, (_, neuron) => convert(thresholdOf(neuron)))];
    }),
  );
}

describe('an exported network', () => {
  property.prop(
    [
      int8Networks(),
      fc.boolean(),
      mitigations,
      fc.constantFrom<[ClipPosition, boolean][]>(
        ['accumulator', false],
        ['requantised', false],
        ['requantised', true],
      ),
    ],
    { numRuns: 45 },
  )(
    'of int8 words gives what the simulator gives, to the bit, at both optimisation levels',
    async (random, perNeuron, mitigation, [position, isSigned]) => {
      const network = isSigned ? signed(random) : random;
      const offset = isSigned ? 128 : 0;
      const images = imagesFor(network);
      const datapath = createDatapath(network, createReferenceBackend(), IMAGES);
      const profile = new Map(Object.entries(profileMaxima(datapath, images, IMAGES)));
      const scaled = new Map(
        [...profile].map(([name, values]) => [name, values.map((value) => Math.floor(value / 2))]),
      );
      const thresholds = perNeuron ? neuronThresholds(network, profile) : scaled;
      datapath.setActivationUnits(activationUnits(mitigation, network, thresholds, position));
      const ours = new Map<string, number[]>();
      datapath.run(images, IMAGES, {
        tensor(tensor, values) {
          const { shape } = network.tensors[tensor];
          ours.set(quantizedName(network.tensors[tensor]), inNetworkOrder(values, shape));
        },
      });
      const clips = int8Clips(mitigation, network, thresholds, position);
      const bytes = writeClipped(network, clips, { exposeLayers: true });
      for (const level of levels) {
        const theirs = await runOnnx(bytes, network, images, level);
        for (const { output } of network.layers) {
          const name = quantizedName(network.tensors[output]);
          expect(theirs.get(name)?.map((value) => value + offset)).toEqual(ours.get(name));
        }
      }
    },
  );

  property.prop([int8Networks(), mitigations], { numRuns: 30 })(
    'of float32 words makes of its own sums what a clip for each neuron makes of them',
    async (quantized, mitigation) => {
      const network = dequantize(quantized);
      const images = imagesFor(quantized);
      const datapath = createDatapath(network, createReferenceBackend(), IMAGES);
      const profile = new Map(Object.entries(profileMaxima(datapath, images, IMAGES)));
      const thresholds = neuronThresholds(network, profile);
      const clips = float32Clips(mitigation, network, thresholds);
      const { bytes, clipNames } = writeFloat32Exposed(network, clips);
      for (const level of levels) {
        const values = await runOnnx(bytes, network, images, level);
        for (const { layer, sum, clipped } of clipNames) {
          const limits = thresholds.get(layer) ?? [];
          const expected = values.get(sum)?.map((value, index) => {
            const limit = limits[index % limits.length];
            if (value <= limit) return value;
            return mitigation === 'clip' ? 0 : limit;
          });
          expect(values.get(clipped)).toEqual(expected);
        }
      }
    },
  );
});
