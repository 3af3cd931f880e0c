import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { inferImages } from '../../campaign/index.js';
import {
  type ConvolutionShape,
  InputError,
  memoryLimit,
  requireMemory,
  setMemoryLimit,
} from '../../core/index.js';
import { planFloat32Convolution } from '../../kernels/index.js';
import { NO_MITIGATION } from '../../mitigation/index.js';
import { encodeOnnx, type OnnxModel, readNetwork } from '../../models/index.js';
import { batchWithinMemory, DEFAULT_ACCELERATOR, requireDatapath } from '../../sim/index.js';
import { int, ints, node, reals } from '../models/plain-network.js';

afterEach(() => setMemoryLimit(undefined));

/** A network for CIFAR-10 whose first layer pads its input by so many pixels on each side: about 600 bytes. */
function padded(padding: number): Uint8Array {
  const model: OnnxModel = {
    irVersion: 8,
    producer: 'test',
    opsets: new Map([['', 13]]),
    metadata: new Map(),
    graph: {
      name: 'padded',
      nodes: [
        node('Conv', ['x', 'w'], 'a', { pads: ints(padding, padding, padding, padding) }),
        node('GlobalAveragePool', ['a'], 'b'),
        node('Flatten', ['b'], 'c'),
        node('Gemm', ['c', 'v'], 'y', { transB: int(1) }),
      ],
      initializers: [reals('w', 4, 3, 1, 1), reals('v', 10, 4)],
      inputs: [{ name: 'x', elementType: 'float32', dims: ['N', 3, 32, 32] }],
      outputs: [{ name: 'y', elementType: 'float32', dims: ['N', 10] }],
    },
  };
  return encodeOnnx(model);
}

describe('memoryLimit', () => {
  test('is 1 GB + 16 × the input, and at most half of the memory', () => {
    const half = totalmem() / 2;
    expect(memoryLimit()).toBeLessThanOrEqual(Math.min(1e9, half));
    expect(memoryLimit(1e15)).toBeLessThanOrEqual(half);
    if (memoryLimit(1e15) > 1.2e9) expect(memoryLimit(1e7)).toBe(1.16e9);
    setMemoryLimit(3e9);
    expect(memoryLimit(1e15)).toBe(3e9);
  });

  test('an error names what is too large, and a limit that would do', () => {
    setMemoryLimit(1e9);
    expect(() => requireMemory(0.8e9, 'it')).not.toThrow();
    expect(() => requireMemory(2.5e9, 'a.onnx: it')).toThrow(
      new InputError(
        'a.onnx: it would take 2.63 GB of memory, above the limit of 1 GB; if it is meant to be so large, raise the limit: --memory-limit 3GB.',
      ),
    );
    setMemoryLimit(3e9);
    expect(() => requireMemory(2.5e9, 'it')).not.toThrow();
    expect(() => requireMemory(Infinity, 'it')).toThrow(InputError);
  });
});

describe('a small network with large padding', () => {
  test('is refused by name where not even one image fits', () => {
    setMemoryLimit(1e9);
    expect(() => readNetwork(padded(8000), 'm.onnx')).toThrow(
      /^m\.onnx: a network of .* would take /,
    );
    expect(() => readNetwork(padded(2 ** 40), 'm.onnx')).toThrow(InputError);
    setMemoryLimit(1e10);
    expect(readNetwork(padded(8000), 'm.onnx').name).toBe('m.onnx');
  });

  test('cannot run more images together than fit', () => {
    const network = readNetwork(padded(400), 'm.onnx');
    setMemoryLimit(256e6);
    const batch = batchWithinMemory(network, 25);
    expect(batch).toBeGreaterThan(1);
    expect(batch).toBeLessThan(25);
    expect(() => requireDatapath(network, batch)).not.toThrow();
    expect(() => requireDatapath(network, batch + 1)).toThrow(
      `m.onnx: computing ${batch + 1} images together would take `,
    );
    setMemoryLimit(1e9);
    expect(batchWithinMemory(network, 25)).toBe(25);
  });

  test('gives the same outputs under any limit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
    try {
      const model = join(folder, 'm.onnx');
      writeFileSync(model, padded(200));
      const data = Float32Array.from({ length: 5 * 3072 }, (_, index) => Math.sin(index));
      const outputs: Float32Array[] = [];
      for (const limit of [200e6, 1e9]) {
        setMemoryLimit(limit);
        const options = {
          ...({
            model,
            format: 'float32',
            placement: 'resident',
            mitigation: NO_MITIGATION,
          } as const),
          accelerator: DEFAULT_ACCELERATOR,
        };
        const inputs = [{ file: 'x.npy', array: { shape: [5, 3, 32, 32], data } }];
        outputs.push((await inferImages(options, inputs)).outputs[0].data);
      }
      expect(outputs[0]).toEqual(outputs[1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('has no list of its windows, which would be larger than the map', () => {
    const input = { channels: 3, height: 32, width: 32 };
    const shapeOf = (padding: number): ConvolutionShape => ({
      input,
      output: { channels: 4, height: 32 + 2 * padding, width: 32 + 2 * padding },
      kernel: [1, 1],
      strides: [1, 1],
      pads: [padding, padding, padding, padding],
      dilations: [1, 1],
      groups: 1,
    });
    expect(planFloat32Convolution(shapeOf(100)).algorithm).toBe('direct-inside');
    expect(planFloat32Convolution(shapeOf(1400)).algorithm).toBe('direct');
  });
});
