import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFaultySumsRunner, referenceFaultySums } from '../../kernels/index.js';
import { faultySumsCase } from './faulty-sums-arbitraries.js';
import { kernels } from './support.js';

const runner = createFaultySumsRunner(kernels);

const CANONICAL_NAN = 0x7fc00000;

/** Bits of sums; a NaN has only one value. */
function bitsOf(sums: Int32Array | Float32Array): Int32Array {
  if (sums instanceof Int32Array) return sums;
  return new Int32Array(sums.slice().buffer).map((bits, index) =>
    Number.isNaN(sums[index]) ? CANONICAL_NAN : bits,
  );
}

function allBits(sums: readonly (readonly (Int32Array | Float32Array)[])[]) {
  return sums.map((parts) => parts.map(bitsOf));
}

describe.each(['int8', 'float32'] as const)('sums of faulty registers, %s', (format) => {
  test('WebAssembly equals the reference to the bit', () => {
    fc.assert(
      fc.property(faultySumsCase(format), ({ specification, input, images }) => {
        const slow = referenceFaultySums(specification);
        const [fast] = runner.prepare([specification]);
        slow.run(input, images);
        fast.run(input, images);
        expect(allBits(fast.sums)).toEqual(allBits(slow.sums));
      }),
      { numRuns: 1000 },
    );
  });
});
