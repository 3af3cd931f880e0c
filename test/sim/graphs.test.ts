import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { createReferenceBackend, loadKernels } from '../../kernels/index.js';
import {
  createCalibration,
  dequantize,
  type Float32Network,
  type Int8Network,
  quantizedName,
  quantizeNetwork,
  readNetwork,
  writeFloat32,
  writeQdq,
  writeQOperator,
} from '../../models/index.js';
import { createDatapath, createNetworkDatapath } from '../../sim/index.js';
import { ARCHITECTURES, int8GraphOf, xorshift } from '../../testing/index.js';
import { withoutEnds } from '../models/ends.js';
import { runOnnx } from '../models/onnxruntime.js';

const kernels = loadKernels();
const IMAGES = 3;

function imagesFor(network: Float32Network | Int8Network, seed: number): Float32Array {
  const random = xorshift(seed);
  const { shape, quantization } = network.tensors[network.input];
  const spread = quantization ? quantization.scale * 255 : 4;
  const zero = quantization ? quantization.zeroPoint / 255 : 0.5;
  return Float32Array.from(
    { length: featureCount(shape) * IMAGES },
    () => (random() - zero) * spread,
  );
}

/** Every tensor by name, image × channel × row × column. */
function tensorsOf(
  network: Float32Network | Int8Network,
  images: Float32Array,
): Map<string, number[]> {
  const tensors = new Map<string, number[]>();
  createNetworkDatapath(network, kernels, IMAGES).run(images, IMAGES, {
    tensor(tensor, values) {
      const { name, shape, quantization } = network.tensors[tensor];
      const { channels, height, width } = shape;
      const ordered: number[] = [];
      for (let image = 0; image < IMAGES; image += 1) {
        for (let channel = 0; channel < channels; channel += 1) {
          for (let position = 0; position < height * width; position += 1) {
            const index = (image * height * width + position) * channels + channel;
            ordered.push(values[index] - (quantization?.signed ? 128 : 0));
          }
        }
      }
      tensors.set(name, ordered);
    },
  });
  return tensors;
}

function quantized(network: Float32Network, seed: number): Int8Network {
  const calibration = createCalibration(network, { method: 'min-max' });
  createDatapath(network, createReferenceBackend(), IMAGES).run(imagesFor(network, seed), IMAGES, {
    tensor: (tensor, values) => calibration.observe(tensor, (values as Float32Array).slice()),
  });
  return quantizeNetwork(network, calibration.ranges());
}

/** Compares every layer's output to the bit. */
async function expectExact(network: Int8Network, file: Uint8Array, level: 'disabled' | 'all') {
  const images = imagesFor(network, 99);
  const ours = tensorsOf(network, images);
  const theirs = await runOnnx(file, network, images, level);
  for (const { name, output } of network.layers) {
    const tensor = network.tensors[output];
    expect(theirs.get(quantizedName(tensor)), `${network.name}: ${name}`).toEqual(
      ours.get(tensor.name),
    );
  }
}

const shapes = fc.record({
  channels: fc.constant(3),
  height: fc.integer({ min: 7, max: 12 }),
  width: fc.integer({ min: 7, max: 12 }),
});
const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const architectures = fc
  .tuple(fc.constantFrom(...Object.keys(ARCHITECTURES)), shapes, seeds)
  .map(([name, shape, seed]) => ARCHITECTURES[name](shape, xorshift(seed)));
const exposed = { exposeLayers: true };

describe.each(Object.keys(ARCHITECTURES))('a network built like %s', (name) => {
  const source = ARCHITECTURES[name]({ channels: 3, height: 12, width: 12 }, xorshift(7));

  test('quantised by Bitcell, equals onnxruntime in every value', async () => {
    const network = quantized(source, 5);
    await expectExact(network, writeQOperator(network, exposed), 'disabled');
    await expectExact(network, writeQdq(network, exposed), 'all');
  });

  test('keeps close to its float32 values when quantised', () => {
    const network = quantized(source, 5);
    const images = imagesFor(source, 5);
    const real = tensorsOf(source, images).get('logits') ?? [];
    const { scale, zeroPoint } = network.tensors[network.output].quantization!;
    const found = (tensorsOf(network, images).get('logits') ?? []).map(
      (q) => scale * (q - zeroPoint),
    );
    const power = (values: number[]) => values.reduce((sum, value) => sum + value * value, 0);
    expect(power(real.map((value, index) => value - found[index]))).toBeLessThan(power(real) / 100);
  });

  test('computes the float32 values of onnxruntime within rounding', async () => {
    const images = imagesFor(source, 3);
    const theirs = (await runOnnx(writeFloat32(source), source, images, 'disabled')).get('logits');
    const ours = tensorsOf(source, images).get('logits');
    expect(theirs?.length).toBe(10 * IMAGES);
    for (const [index, value] of (ours ?? []).entries()) {
      expect(value).toBeCloseTo(theirs![index], 3);
    }
  });
});

describe('graphs of random weights, scales and zero points', () => {
  property.prop([architectures, seeds], { numRuns: 30 })(
    'equal onnxruntime in every value',
    async (source, seed) => {
      const network = int8GraphOf(source, xorshift(seed));
      await expectExact(network, writeQOperator(network, exposed), 'disabled');
      await expectExact(network, writeQdq(network, exposed), 'all');
    },
  );

  property.prop([architectures, seeds], { numRuns: 20 })(
    'equal onnxruntime in every value with int8 activations',
    async (source, seed) => {
      const unsigned = int8GraphOf(source, xorshift(seed));
      const tensors = unsigned.tensors.map((tensor) => ({
        ...tensor,
        quantization: { ...tensor.quantization!, signed: true as const },
      }));
      const network = { ...unsigned, tensors };
      await expectExact(network, writeQOperator(network, exposed), 'disabled');
    },
  );

  property.prop([architectures, seeds], { numRuns: 30 })(
    'are read back as they were written',
    (source, seed) => {
      const network = int8GraphOf(source, xorshift(seed));
      expect({ ...withoutEnds(readNetwork(writeQdq(network))), checksum: '' }).toEqual(network);
      expect({ ...withoutEnds(readNetwork(writeFloat32(source))), checksum: '' }).toEqual(source);
      expect({ ...withoutEnds(readNetwork(writeQOperator(network))), checksum: '' }).toEqual(
        inQOperatorForm(network),
      );
    },
  );

  property.prop([architectures, seeds], { numRuns: 20 })(
    'compute alike on WebAssembly and on the reference, in both formats',
    (source, seed) => {
      const int8 = int8GraphOf(source, xorshift(seed));
      for (const network of [int8, source, dequantize(int8)]) {
        const images = imagesFor(network, seed);
        const fast = createNetworkDatapath(network, kernels, 2);
        const slow = createDatapath(network, createReferenceBackend(), IMAGES);
        expect(Array.from(fast.run(images, IMAGES))).toEqual(Array.from(slow.run(images, IMAGES)));
      }
    },
  );
});

/** What QOperator form keeps: a ReLU is known by the zero point, and its upper bound is not. */
function inQOperatorForm(network: Int8Network): Int8Network {
  const layers = network.layers.map((layer) => {
    if (!('relu' in layer)) return layer;
    const { zeroPoint } = network.tensors[layer.output].quantization!;
    const { upper: _, ...rest } = { upper: undefined, ...layer };
    return { ...rest, relu: zeroPoint === 0 } as typeof layer;
  });
  return { ...network, layers };
}
