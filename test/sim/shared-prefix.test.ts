import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { arrayLayers, dequantize, type Network } from '../../models/index.js';
import {
  type ActivationUnit,
  type ActivationUnits,
  createNetworkDatapath,
  createPrefixSharing,
  createRecording,
  type Datapath,
  differingLayers,
  recordRun,
} from '../../sim/index.js';
import { int8Networks, xorshift } from '../../testing/index.js';
import { architectures, patchesOf } from './bit-faults.js';

const kernels = loadKernels();
const IMAGES = 5;

function imagesFor(network: Network): Float32Array {
  const random = xorshift(1);
  const length = featureCount(network.tensors[network.input].shape) * IMAGES;
  return Float32Array.from({ length }, () => (random() - 0.5) * 20);
}

/** Clips at a share of the largest fault-free accumulator of each layer: some act on all images, some on few. */
function unitsOf(
  datapath: Datapath,
  images: Float32Array,
  share: number,
  mode: 'clip-zero' | 'clamp',
): ActivationUnits {
  const most = new Map<string, number>();
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(new Map());
  datapath.run(images, IMAGES, {
    accumulators({ name }, values) {
      let largest = most.get(name) ?? 0;
      for (const value of values) largest = Math.max(largest, value);
      most.set(name, largest);
    },
  });
  const units = new Map<string, ActivationUnit>();
  for (const { name, shape } of arrayLayers(datapath.network)) {
    const threshold = Math.floor(share * (most.get(name) ?? 0) * 64) / 64;
    const thresholds = new Array<number>(shape.output.channels).fill(threshold);
    units.set(
      name,
      datapath.network.format === 'int8'
        ? { format: 'int8', clip: { mode, thresholds: Int32Array.from(thresholds) } }
        : { format: 'float32', clip: { mode, thresholds: Float32Array.from(thresholds) } },
    );
  }
  return units;
}

/** The fault-free network with activation units. */
function recordingOf(
  datapath: Datapath,
  images: Float32Array,
  units: ActivationUnits,
  budget: number,
) {
  const recording = createRecording(datapath.network, IMAGES, budget);
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(units);
  recordRun(
    datapath,
    recording,
    images,
    Uint32Array.from({ length: IMAGES }, (_, image) => image),
  );
  return recording;
}

const networks = fc
  .tuple(fc.oneof(int8Networks(), architectures), fc.constantFrom(true, true, true, false))
  .map(([network, float]): Network => (float ? dequantize(network) : network));
const budgets = fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 20_000 }));
const clips = fc.array(
  fc.record({
    share: fc.constantFrom(0, 0.5, 0.9, 1, 1.5, 1e6),
    mode: fc.constantFrom<('clip-zero' | 'clamp')[]>('clip-zero', 'clamp'),
  }),
  { minLength: 1, maxLength: 3 },
);

describe('createPrefixSharing', () => {
  property.prop(
    [
      ...([networks, clips, budgets, budgets] as const),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 4 }),
      fc.constantFrom(30, 30, 29, 31, 22, 5),
      fc.integer({ min: 1, max: IMAGES }),
    ],
    { numRuns: 150 },
  )(
    'gives the outputs of whole runs, whatever is recorded and kept',
    (network, wanted, recorded, keptBytes, shares, bit, size) => {
      const images = imagesFor(network);
      const datapath = createNetworkDatapath(network, kernels, size);
      const others = wanted.map(({ share, mode }) => unitsOf(datapath, images, share, mode));
      const none: ActivationUnits = new Map();
      const [ofNone, ...ofOthers] = [none, ...others].map((units) =>
        recordingOf(datapath, images, units, recorded),
      );
      const patches = patchesOf(network, shares, bit);
      const differing = differingLayers(network, { weights: patches });
      fc.pre(differing !== undefined);
      datapath.setDisturbance({ weights: patches });
      const whole = [none, ...others].map((units) => {
        datapath.setActivationUnits(units);
        return Array.from(datapath.run(images, IMAGES));
      });
      const sharing = createPrefixSharing(datapath, keptBytes);
      const found = whole.map((): number[] => []);
      const length = images.length / IMAGES;
      for (let first = 0; first < IMAGES; first += size) {
        const last = Math.min(first + size, IMAGES);
        const batch = {
          numbers: Uint32Array.from({ length: last - first }, (_, place) => first + place),
          differing,
          loadImages: () => images.subarray(first * length, last * length),
        };
        found[0].push(...sharing.runBase(batch, ofNone, others));
        for (const [other, recording] of ofOthers.entries()) {
          found[other + 1].push(...sharing.runOther(other, recording));
        }
      }
      expect(found).toEqual(whole);
    },
  );

  test('computes nothing again where units change nothing', () => {
    const [int8] = fc.sample(int8Networks(), { numRuns: 1, seed: 3 });
    const network = dequantize(int8);
    const images = imagesFor(network);
    const datapath = createNetworkDatapath(network, kernels, IMAGES);
    const units = unitsOf(datapath, images, 1e6, 'clip-zero');
    const recordings = [new Map(), units].map((one) => recordingOf(datapath, images, one, 0));
    datapath.setDisturbance({ weights: patchesOf(network, [0], 5) });
    let layers = 0;
    const counting = {
      ...datapath,
      runLayer: (layer: number, count: number) => {
        layers += 1;
        datapath.runLayer(layer, count);
      },
    };
    const sharing = createPrefixSharing(counting, Infinity);
    const numbers = Uint32Array.from({ length: IMAGES }, (_, image) => image);
    const batch = { numbers, differing: { first: 0, last: 0 }, loadImages: () => images };
    const outputs = sharing.runBase(batch, recordings[0], [units]);
    expect(layers).toBe(network.layers.length);
    expect(sharing.runOther(0, recordings[1])).toEqual(outputs);
    expect(layers).toBe(network.layers.length);
  });
});
