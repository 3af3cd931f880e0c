import { compileModule, instantiateModule, PAGE_BYTES } from './webassembly.js';

/** What core/assembly/philox.ts exports. */
interface Functions {
  integersBelow(
    key0: number,
    key1: number,
    counter0: number,
    counter1: number,
    first: number,
    bound: number,
    target: number,
    count: number,
  ): void;
}

/** Numbers that one call draws: V8 replaces its baseline code by optimised code only between two calls. */
const NUMBERS_PER_CALL = 4096;

interface Generator {
  readonly functions: Functions;
  readonly numbers: Uint32Array;
}

let generator: Generator | undefined;

function createGenerator(): Generator {
  const pages = (NUMBERS_PER_CALL * 4) / PAGE_BYTES;
  const { memory, exports } = instantiateModule(compileModule('core/core.wasm'), Math.ceil(pages));
  return {
    functions: exports as Functions,
    numbers: new Uint32Array(memory.buffer, 0, NUMBERS_PER_CALL),
  };
}

/** A stream's key, and the words of its counters before the index. */
export interface StreamAddress {
  readonly key: Uint32Array;
  readonly trial: number;
  readonly purpose: number;
}

/**
 * `integerBelow(bound, first + place)` of a stream for every place of `target`, several times as fast.
 *
 * @param bound a whole number from 1 to 2³² − 1
 * @param first its sum with the length of `target` is at most 2³²
 */
export function drawIntegersBelow(
  { key, trial, purpose }: StreamAddress,
  bound: number,
  first: number,
  target: Uint32Array,
): void {
  generator ??= createGenerator();
  const { functions, numbers } = generator;
  for (let place = 0; place < target.length; place += NUMBERS_PER_CALL) {
    const count = Math.min(NUMBERS_PER_CALL, target.length - place);
    const rounded = Math.ceil(count / 4) * 4;
    functions.integersBelow(key[0], key[1], trial, purpose, first + place, bound, 0, rounded);
    target.set(numbers.subarray(0, count), place);
  }
}
