import type { SumSteps, WordMasks } from '../../faulty-sums.js';
import type { KernelFormat } from '../plan.js';

/** Kinds of runs; kernels/assembly/faulty-sums/descriptors.ts says what they do. */
export const RUN_KINDS = {
  plain: 0,
  eachProduct: 1,
  eachAnd: 2,
  eachOr: 3,
  eachXor: 4,
  eachSum: 5,
} as const;

type RunKind = keyof typeof RUN_KINDS;

/** Words of weights that are used alike. */
export interface Run {
  readonly kind: RunKind;
  readonly words: number;
  readonly products: number;
  /** Where its masks begin. */
  readonly masks: number;
  /** Masks from one word to the next. */
  readonly maskStride: number;
}

/** Runs whose weights of 16 channels fit a level-1 cache together. */
export interface Stretch {
  /** Place in the window of its first product. */
  readonly first: number;
  readonly words: number;
  readonly runs: readonly Run[];
  /** Whether most words end in masks. */
  readonly dense: boolean;
}

/** How the sums of a part are computed. */
export interface SumProgram {
  readonly stretches: readonly Stretch[];
  /** Masks of 32 bits, in pairs (and, xor): first a pair that changes nothing. */
  readonly masks: Int32Array;
  /** Products of all runs, negative where a word holds one each: programs of equal layout pack weights alike. */
  readonly layout: Int32Array;
}

/** Half of a level-1 cache of 32 KiB, in words of 16 channels. */
const STRETCH_WORDS = 256;

/** The runs between, and at, the steps of a part. */
export function planSums(format: KernelFormat, steps: SumSteps, window: number): SumProgram {
  const { at } = steps;
  const depth = format === 'int8' ? 2 : 1;
  const products = reduceMasks(steps.product);
  const sums = reduceMasks(steps.sum);
  const masks = new Int32Array(2 + 4 * at.length);
  masks[0] = -1;
  let usedMasks = 2;
  const stretches: Stretch[] = [];
  let runs: Run[] = [];
  let first = 0;
  let words = 0;
  let planned = 0;

  for (let step = 0; step < at.length; ) {
    if (!isSound(products, step)) {
      addPlain(at[step], 0);
      step = addEach(step, true);
    } else if (isSound(sums, step)) {
      step++;
    } else if (at[step] === planned) {
      step = addEach(step, false);
    } else {
      addPlain(at[step] + 1, appendMasks(sums, step));
      step++;
    }
  }
  addPlain(window, 0);
  endStretch();
  return {
    stretches,
    masks: masks.slice(0, usedMasks),
    layout: Int32Array.from(
      stretches.flatMap((stretch) =>
        stretch.runs.map((run) => (run.kind === 'plain' ? run.products : -run.products)),
      ),
    ),
  };

  function endStretch(): void {
    if (words === 0) return;
    const masked = runs.reduce((total, run) => total + (run.kind === 'plain' ? 1 : run.words), 0);
    stretches.push({ first, words, runs, dense: 2 * masked > words });
    runs = [];
    first = planned;
    words = 0;
  }

  function append(run: Run): void {
    runs.push(run);
    words += run.words;
    planned += run.products;
    if (words === STRETCH_WORDS) endStretch();
  }

  function appendMasks(pairs: Int32Array, step: number): number {
    masks[usedMasks] = pairs[2 * step];
    masks[usedMasks + 1] = pairs[2 * step + 1];
    usedMasks += 2;
    return usedMasks - 2;
  }

  /** Adds products up to `end`, after which the sum passes the masks. */
  function addPlain(end: number, endMasks: number): void {
    while (planned < end) {
      const count = Math.min(end - planned, (STRETCH_WORDS - words) * depth);
      append({
        kind: 'plain',
        words: Math.ceil(count / depth),
        products: count,
        masks: planned + count === end ? endMasks : 0,
        maskStride: 0,
      });
    }
  }

  /** A run of neighbouring steps from `step` on, all of them with faulty products or none; returns the step after it. */
  function addEach(step: number, withProducts: boolean): number {
    const start = usedMasks;
    const end = Math.min(step + STRETCH_WORDS - words, at.length);
    let uniform = true;
    let next = step;
    for (; next < end && at[next] === planned + next - step; next++) {
      if (isSound(products, next) === withProducts) break;
      if (!withProducts && isSound(sums, next)) break;
      if (withProducts) appendMasks(products, next);
      appendMasks(sums, next);
      uniform &&= isSame(products, step, next) && isSame(sums, step, next);
    }
    const count = next - step;
    const stride = withProducts ? 4 : 2;
    if (uniform) usedMasks = start + stride;
    append({
      kind: withProducts ? 'eachProduct' : sumKind(uniform, masks[start], masks[start + 1]),
      words: count,
      products: count,
      masks: start,
      maskStride: uniform ? 0 : stride,
    });
    return next;
  }
}

/** One operation where one does all. */
function sumKind(uniform: boolean, and: number, xor: number): RunKind {
  if (!uniform) return 'eachSum';
  if (xor === 0) return 'eachAnd';
  if (and === -1) return 'eachXor';
  return and === ~xor ? 'eachOr' : 'eachSum';
}

/** Pairs (and, xor) that do what the triples do: a bit becomes (bit & and & ~or) ^ (or ^ xor). */
function reduceMasks({ and, or, xor }: WordMasks): Int32Array {
  const pairs = new Int32Array(2 * and.length);
  for (let step = 0; step < and.length; step++) {
    pairs[2 * step] = and[step] & ~or[step];
    pairs[2 * step + 1] = or[step] ^ xor[step];
  }
  return pairs;
}

function isSound(pairs: Int32Array, step: number): boolean {
  return pairs[2 * step] === -1 && pairs[2 * step + 1] === 0;
}

function isSame(pairs: Int32Array, a: number, b: number): boolean {
  return pairs[2 * a] === pairs[2 * b] && pairs[2 * a + 1] === pairs[2 * b + 1];
}
