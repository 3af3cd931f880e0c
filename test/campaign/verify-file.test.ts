import { describe, expect, test } from 'vitest';
import { cifar10Workload } from '../../campaign/index.js';
import { verifyFile } from '../../campaign/verify/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  arrayLayers,
  dequantize,
  type Int8Network,
  loadCifar10,
  readGraph,
  writeFloat32,
  writeQdq,
  writeQOperator,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { smallNetwork } from './small-network.js';

const workload = cifar10Workload(loadCifar10({ split: 'test', limit: 3 }));
const written = smallNetwork();

/** Compares a file with the network of another, which has as many layers. */
function compare(file: Uint8Array, simulated = file) {
  const read = (bytes: Uint8Array) => readGraph(bytes, 'small');
  const graph = read(file);
  const thresholds = new Map(
    arrayLayers(written).flatMap(({ name, relu, shape }) =>
      relu ? [[name, Array.from({ length: shape.output.channels }, () => 4000)] as const] : [],
    ),
  );
  const datapath = createNetworkDatapath(read(simulated).network, loadKernels(), 3);
  return verifyFile({ graph, read, datapath, thresholds, workload, images: 3, threads: 1 });
}

const FILES = {
  QDQ: writeQdq(written),
  QOperator: writeQOperator(written),
  float32: writeFloat32(dequantize(written)),
};

describe('a file as given, and the network that is read from it', () => {
  test.each(Object.entries(FILES))('are equal clean, faulted and clipped: %s', async (_, file) => {
    const cases = await compare(file);
    expect(cases.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^the file as given, clean, all$/),
      expect.stringMatching(/^the file as given, clean, inner values as outputs, /),
      expect.stringMatching(/faulted: \d+ flipped bits in \d+ words of [1-4] of [34] layers, all$/),
      expect.stringMatching(/faulted: .* inner values as outputs, /),
      expect.stringMatching(/clipped in [1-9] layers, all$/),
      expect.stringMatching(/clipped in [1-9] layers, inner values as outputs, /),
    ]);
    for (const found of cases) {
      expect(found).toMatchObject({ images: 3, mismatches: 0, steps: 0, first: undefined });
      expect(found.refused).toBeUndefined();
      expect(found.values).toBeGreaterThanOrEqual(30);
    }
    // The tensors of the inner layers, of three images.
    expect(cases[1].values).toBeGreaterThan(3 * (2048 + 512));
  });

  test('differ where one has other weights', async () => {
    const [first, ...rest] = written.layers;
    if (first.kind !== 'convolution') throw new Error('no convolution first');
    const weights = first.weights.map((weight) => -weight);
    const other: Int8Network = { ...written, layers: [{ ...first, weights }, ...rest] };
    for (const [one, two] of [
      [FILES.QDQ, writeQdq(other)],
      [FILES.float32, writeFloat32(dequantize(other))],
    ]) {
      const cases = await compare(one, two);
      expect(cases.filter(({ mismatches }) => mismatches > 0).length).toBeGreaterThanOrEqual(4);
      expect(cases[1].first?.layer).toBe('conv1');
    }
  });
});
