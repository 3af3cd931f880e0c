import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import {
  readThresholds,
  type Thresholds,
  type TuningRecord,
  thresholdsFor,
  writeThresholds,
} from '../../mitigation/index.js';
import { arrayLayers, dequantize, type Int8Network } from '../../models/index.js';
import { int8Networks } from '../../testing/index.js';

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));

const FOUND: TuningRecord = {
  method: 'interval-search',
  accelerator: 'edge-16x16',
  placement: 'resident',
  faults: 'flip',
  faulty: 'whole-network',
  rates: [1e-3, 1e-2],
  maps: 3,
  images: 10,
  pool: 100,
  smallestGain: 0.001,
  leastRounds: 1,
  mostRounds: 4,
  seed: 7,
  layers: [
    { name: 'conv1', actMax: 2.5, threshold: 1.25, auc: { before: 0.5, after: 0.6 }, rounds: 2 },
  ],
  judged: { maps: 3, images: 10, auc: { none: 0.3, clip: 0.4, 'clip-tuned': 0.5 } },
};

function thresholdsOf(network: Int8Network): Thresholds {
  const layers = arrayLayers(network);
  return {
    format: 'bitcell-thresholds',
    version: 1,
    network: { name: network.name, checksum: network.checksum },
    found: { method: 'profile-maximum', images: 10 },
    int8: Object.fromEntries(
      layers.map(({ name, shape }) => [name, new Array(shape.output.channels).fill(7)]),
    ),
    float32: Object.fromEntries(layers.map(({ name }) => [name, [Math.fround(0.1)]])),
    tuned: {
      float32: {
        found: FOUND,
        layers: Object.fromEntries(layers.map(({ name }) => [name, [Math.fround(0.05)]])),
      },
    },
  };
}

/** Different thresholds for all neurons. */
function neuronThresholdsOf(network: Int8Network): Thresholds {
  const layers = arrayLayers(network);
  const neurons = (convert: (value: number) => number) =>
    Object.fromEntries(
      layers.map(({ name, shape }) => {
        const length = featureCount(shape.output);
        return [name, Array.from({ length }, (_, neuron) => convert(1000 - neuron / 3))];
      }),
    );
  return {
    ...thresholdsOf(network),
    granularity: { int8: 'neuron', float32: 'neuron' },
    int8: neurons(Math.floor),
    float32: neurons(Math.fround),
  };
}

const [network] = fc.sample(int8Networks(), { numRuns: 1, seed: 3 });
const thresholds = thresholdsOf(network);
const [layer] = Object.keys(thresholds.int8 ?? {});

describe('thresholds.json', () => {
  property.prop([int8Networks()], { numRuns: 20 })('is read as it was written', (random) => {
    const file = join(folder, 'thresholds.json');
    writeThresholds(file, thresholdsOf(random));
    expect(readThresholds(file)).toEqual(thresholdsOf(random));
  });

  property.prop([int8Networks()], { numRuns: 20 })(
    'holds thresholds of neurons, in their order, and says so',
    (random) => {
      const file = join(folder, 'neurons.json');
      const written = neuronThresholdsOf(random);
      writeThresholds(file, written);
      const read = readThresholds(file);
      expect(read).toEqual(written);
      for (const format of [random, dequantize(random)]) {
        const found = thresholdsFor(format, read, file, 'clip', 'neuron');
        expect(Object.fromEntries(found)).toEqual(written[format.format]);
      }
    },
  );

  test.each([
    ['{', ':1:2: found the end, which is not valid JSON there'],
    ['{}', 'is not a bitcell-thresholds file of version 1: at format'],
    [JSON.stringify({ ...thresholds, version: 2 }), 'at version'],
    [JSON.stringify({ ...thresholds, int8: { conv1: [0.5] } }), 'at int8.conv1.0'],
    [JSON.stringify({ ...thresholds, int8: { conv1: [2 ** 31] } }), 'at int8.conv1.0'],
    [JSON.stringify({ ...thresholds, int8: { conv1: [] } }), 'at int8.conv1'],
    [JSON.stringify({ ...thresholds, extra: 1 }), 'extra'],
  ])('refuses %s', (content, message) => {
    const file = join(folder, 'wrong.json');
    writeFileSync(file, content);
    expect(() => readThresholds(file)).toThrow(message);
    expect(() => readThresholds(file)).toThrow(file);
  });
});

describe('thresholdsFor', () => {
  test('refuses thresholds of another network', () => {
    const other = { ...network, checksum: 'f'.repeat(64) };
    expect(() => thresholdsFor(other, thresholds, 'T.json')).toThrow(
      'T.json holds thresholds of random (checksum 000000000000), not of random (checksum ffffffffffff)',
    );
  });

  test('refuses an unknown layer', () => {
    const wrong = { ...thresholds, int8: { conv9: [1] } };
    expect(() => thresholdsFor(network, wrong, 'T.json')).toThrow(
      'T.json: random has no layer "conv9" with weights',
    );
  });

  test('refuses a wrong number of channels', () => {
    const wrong = { ...thresholds, int8: { [layer]: new Array(99).fill(1) } };
    expect(() => thresholdsFor(network, wrong, 'T.json')).toThrow(
      `T.json: layer "${layer}" has 99 thresholds, expected `,
    );
  });

  test('says when the word format is missing', () => {
    const { int8, ...rest } = thresholds;
    expect(int8).toBeDefined();
    expect(() => thresholdsFor(network, rest, 'T.json')).toThrow(
      'T.json holds no thresholds for int8 words',
    );
  });

  test('gives clip-tuned the tuned ones and the others the profile', () => {
    const real = dequantize(network);
    const of = (mitigation: 'clip' | 'clamp' | 'clip-tuned') =>
      thresholdsFor(real, thresholds, 'T.json', mitigation).get(layer);
    expect(of('clip')).toEqual([Math.fround(0.1)]);
    expect(of('clamp')).toEqual([Math.fround(0.1)]);
    expect(of('clip-tuned')).toEqual([Math.fround(0.05)]);
  });

  property.prop([int8Networks(), fc.constantFrom('layer' as const, 'channel' as const)], {
    numRuns: 20,
  })('makes coarser thresholds of finer ones', (random, granularity) => {
    const written = neuronThresholdsOf(random);
    for (const one of [random, dequantize(random)]) {
      const found = thresholdsFor(one, written, 'T.json', 'clip', granularity);
      for (const { name, shape } of arrayLayers(one)) {
        const perLayer = granularity === 'layer' && one.format === 'float32';
        const values = found.get(name) ?? [];
        expect(values.length).toBe(perLayer ? 1 : shape.output.channels);
        // The first neuron has the largest threshold.
        const first = written[one.format]?.[name][0] ?? Number.NaN;
        if (one.format === 'float32' || granularity === 'channel') expect(values[0]).toBe(first);
        else expect(values[0]).toBeGreaterThanOrEqual(first);
      }
    }
  });

  test('refuses to make finer thresholds of coarser ones', () => {
    const convolution = arrayLayers(network).find(
      ({ shape: { output } }) => output.height * output.width > 1,
    );
    expect(convolution).toBeDefined();
    expect(() => thresholdsFor(network, thresholds, 'T.json', 'clip', 'neuron')).toThrow(
      `T.json: layer "${convolution?.name}" has thresholds for each channel, too few for each neuron: record them with "bitcell profile --granularity neuron --output FILE" and give --thresholds FILE`,
    );
    const real = dequantize(network);
    expect(() => thresholdsFor(real, thresholds, 'T.json', 'clip', 'channel')).toThrow(
      'has thresholds for each layer, too few for each channel',
    );
    const perLayer = { ...thresholds, granularity: { int8: 'layer' as const } };
    expect(() => thresholdsFor(network, perLayer, 'T.json', 'clip', 'channel')).toThrow(
      'has thresholds for each layer, too few for each channel',
    );
  });

  test('refuses thresholds that are not of the granularity that the file states', () => {
    const wrong = { ...thresholds, granularity: { float32: 'channel' as const } };
    const real = dequantize(network);
    const { channels } = arrayLayers(network)[0].shape.output;
    expect(() => thresholdsFor(real, wrong, 'T.json')).toThrow(
      `T.json: layer "${layer}" has 1 thresholds, expected ${channels}`,
    );
  });

  test('says how to find tuned thresholds that are missing', () => {
    expect(() => thresholdsFor(network, thresholds, 'T.json', 'clip-tuned')).toThrow(
      'T.json holds no tuned thresholds of random for int8 words: find them with "bitcell tune --format int8 --output FILE" and give --thresholds FILE',
    );
  });
});
