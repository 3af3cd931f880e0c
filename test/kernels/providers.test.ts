import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { featureCount, fullyConnectedShape, InputError } from '../../core/index.js';
import {
  createBackend,
  KERNEL_PROVIDERS,
  type KernelBackend,
  kernelsInUse,
  loadKernels,
  PROVIDERS,
  SELF_TEST_NEEDS,
  setKernelProvider,
  testKernels,
} from '../../kernels/index.js';
import { float32Case, int8Case } from './arbitraries.js';
import { describeBackends, fastBackends } from './support.js';

afterEach(() => {
  vi.unstubAllEnvs();
  setKernelProvider(undefined);
});

const missing = join(tmpdir(), 'no-such-library.node');

describe('loadKernels', () => {
  test('takes what the variable names, and what was set before that', () => {
    vi.stubEnv('BITCELL_KERNELS', 'wasm');
    expect(loadKernels()).toMatchObject({ provider: 'wasm', instructionSet: 'simd128' });
    expect(kernelsInUse()).toEqual({ provider: 'wasm', instructionSet: 'simd128' });
    setKernelProvider('reference');
    expect(loadKernels()).toMatchObject({ provider: 'reference', instructionSet: 'scalar' });
  });

  test('refuses a name that there is not', () => {
    vi.stubEnv('BITCELL_KERNELS', 'cuda');
    const message = 'BITCELL_KERNELS is "cuda"; there are native, wasm, reference.';
    expect(loadKernels).toThrow(new InputError(message));
  });

  test('takes the first provider that can be used', () => {
    vi.stubEnv('BITCELL_KERNELS', '');
    const [first] = KERNEL_PROVIDERS.filter((name) => PROVIDERS[name].unavailable() === undefined);
    expect(loadKernels().provider).toBe(first);
    vi.stubEnv('BITCELL_NATIVE_LIBRARY', missing);
    expect(loadKernels().provider).toBe('wasm');
    expect(kernelsInUse().provider).toBe('wasm');
  });

  test('says why native kernels that are asked for cannot be had', () => {
    vi.stubEnv('BITCELL_KERNELS', 'native');
    vi.stubEnv('BITCELL_NATIVE_LIBRARY', missing);
    const message = `There are no native kernels: there is no ${missing}: "npm run build" makes it where there is a C compiler.`;
    expect(loadKernels).toThrow(new InputError(message));
    expect(kernelsInUse).toThrow(new InputError(message));
  });

  test('goes on without a library that is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitcell-library-'));
    const file = join(folder, 'broken.node');
    writeFileSync(file, 'not a library');
    vi.stubEnv('BITCELL_KERNELS', undefined);
    vi.stubEnv('BITCELL_NATIVE_LIBRARY', file);
    expect(PROVIDERS.native.unavailable()).toMatch(/broken\.node cannot be loaded: /);
    expect(loadKernels().provider).toBe('wasm');
    rmSync(folder, { recursive: true });
  });
});

test.each(KERNEL_PROVIDERS)('the code of %s can be posted', (name) => {
  const provider = PROVIDERS[name];
  if (provider.unavailable() !== undefined) {
    expect(() => provider.load()).toThrow(InputError);
    return;
  }
  // V8 posts modules to threads, but does not clone them within one.
  const { wasm, ...rest } = provider.load();
  expect(structuredClone(rest)).toEqual(rest);
  expect(() => provider.load('no-such-instructions')).toThrow(InputError);
  const backend = createBackend({ ...structuredClone(rest), wasm }, SELF_TEST_NEEDS);
  expect(testKernels(backend).wrong).toEqual([]);
});

describeBackends('a self-test', (backend) => {
  test('finds every layer as the reference has it', () => {
    expect(testKernels(backend)).toEqual({ layers: 20, wrong: [] });
  });
});

test('a self-test finds one wrong sum', () => {
  const [backend] = fastBackends;
  const broken: KernelBackend = {
    ...backend,
    int8Convolution(specification) {
      const weights = specification.weights.slice();
      weights[weights.length - 1] ^= 1;
      return backend.int8Convolution({ ...specification, weights });
    },
  };
  const { wrong } = testKernels(broken);
  expect(wrong).toHaveLength(9);
  for (const name of wrong) expect(name).toMatch(/^int8 /);
});

describe.each(
  KERNEL_PROVIDERS.filter(
    (name) => name !== 'reference' && PROVIDERS[name].unavailable() === undefined,
  ),
)('memory of %s', (name) => {
  const code = PROVIDERS[name].load();

  test('holds what the needs say', () => {
    const property = fc.property(int8Case, float32Case, (integer, real) => {
      const images = Math.max(integer.images, real.images);
      const lengths = [integer, real].map(({ specification }) =>
        featureCount(specification.shape.output),
      );
      const backend = createBackend(code, {
        convolutions: [
          { shape: integer.specification.shape, format: 'int8' },
          { shape: real.specification.shape, format: 'float32' },
        ],
        tensors: [
          { format: 'uint8', length: lengths[0] },
          { format: 'float32', length: lengths[1] },
        ],
        images,
      });
      backend.int8Convolution(integer.specification);
      backend.float32Convolution(real.specification);
      backend.allocateUint8(images * lengths[0]);
      backend.allocateFloat32(images * lengths[1]);
      expect(() => backend.allocateUint8(1e9)).toThrow(/ bytes is full: /);
    });
    fc.assert(property, { numRuns: 5 });
  });

  test('is refused where it cannot be', () => {
    const tensors = [{ format: 'uint8', length: 2 ** 32 }] as const;
    const needs = { convolutions: [], tensors, images: 1 };
    expect(() => createBackend(code, needs)).toThrow(/cannot have a memory of \d+ bytes/);
    const convolutions = [{ shape: fullyConnectedShape(600_000, 10), format: 'int8' }] as const;
    expect(() => createBackend(code, { convolutions, tensors: [], images: 1 })).toThrow(
      /A convolution with a window of 600000 values .* at most 524288 are supported\./,
    );
  });
});
