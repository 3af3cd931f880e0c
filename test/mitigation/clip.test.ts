import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { featureCount } from '../../core/index.js';
import { createReferenceBackend } from '../../kernels/index.js';
import { activationUnits, profileMaxima } from '../../mitigation/index.js';
import { arrayLayers, dequantize, type Network } from '../../models/index.js';
import { createDatapath, type Datapath } from '../../sim/index.js';
import { int8Networks } from '../../testing/index.js';

const networks = fc
  .tuple(int8Networks(), fc.boolean())
  .map(([network, float]): Network => (float ? dequantize(network) : network));

function imagesFor(network: Network, count: number): Float32Array {
  const length = featureCount(network.tensors[network.input].shape) * count;
  return Float32Array.from({ length }, (_, index) => 15 * Math.sin(1 + index * 78.233));
}

function datapathFor(network: Network): Datapath {
  return createDatapath(network, createReferenceBackend(), 4);
}

describe('profile maxima', () => {
  property.prop([networks, fc.constantFrom('clip' as const, 'clamp' as const)], { numRuns: 40 })(
    'leave the profiled images as they are',
    (network, mitigation) => {
      const images = imagesFor(network, 4);
      const datapath = datapathFor(network);
      const before = Array.from(datapath.run(images, 4));
      const maxima = new Map(Object.entries(profileMaxima(datapath, images, 4)));
      datapath.setActivationUnits(activationUnits(mitigation, network, maxima));
      expect(Array.from(datapath.run(images, 4))).toEqual(before);
    },
  );

  property.prop([networks], { numRuns: 40 })(
    'are the largest accumulators of the layers with an activation function, and of no other',
    (network) => {
      const images = imagesFor(network, 3);
      const maxima = profileMaxima(datapathFor(network), images, 3);
      const activated = arrayLayers(network).filter(({ relu }) => relu);
      expect(Object.keys(maxima)).toEqual(activated.map(({ name }) => name));
      const largest = new Map<string, number[]>();
      datapathFor(network).run(images, 3, {
        accumulators({ name, shape }, values, _first, rows, stride) {
          for (let channel = 0; channel < shape.output.channels; channel += 1) {
            const column = Array.from({ length: rows }, (_, row) => values[row * stride + channel]);
            const seen = largest.get(name) ?? [];
            seen[channel] = Math.max(seen[channel] ?? -Infinity, ...column);
            largest.set(name, seen);
          }
        },
      });
      for (const { name } of activated) {
        const perChannel = largest.get(name) ?? [];
        expect(maxima[name]).toEqual(
          network.format === 'int8' ? perChannel : [Math.max(...perChannel)],
        );
      }
    },
  );
});
