import type { SumSteps, WordMasks } from '../../faulty-sums.js';
import type { KernelFormat } from '../plan.js';

/** Kinds of runs; kernels/assembly/faulty-sums/descriptors.ts says what they do. */
export const PLAIN = 0;
export const EACH_SUM = 1;
export const EACH_PRODUCT = 2;

/** Words of weights that are used alike. */
export interface Run {
  readonly kind: typeof PLAIN | typeof EACH_SUM | typeof EACH_PRODUCT;
  readonly words: number;
  readonly products: number;
  /** Number of the first of its masks. */
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
  /** Masks of 32 bits, in pairs (and, xor). */
  readonly masks: Int32Array;
  /** Kinds and products of all runs: two programs of equal layout pack weights alike. */
  readonly layout: Int32Array;
}

/** Half of a level-1 cache of 32 KiB, in words of 16 channels. */
const STRETCH_WORDS = 256;

/** What keeps a word as it is: number 0 of the masks of every program. */
const SOUND = [-1, 0];

/** The runs between, and at, the steps of a part. */
export function planSums(format: KernelFormat, steps: SumSteps, window: number): SumProgram {
  const { at, product, sum } = steps;
  const depth = format === 'int8' ? 2 : 1;
  const masks = [...SOUND];
  const stretches: Stretch[] = [];
  let runs: Run[] = [];
  let first = 0;
  let words = 0;
  let planned = 0;

  function endStretch(): void {
    if (words === 0) return;
    const masked = runs.reduce((total, run) => total + (run.kind === PLAIN ? 1 : run.words), 0);
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

  /** Adds products up to `end`, then passes the masks. */
  function addPlain(end: number, mask: number): void {
    while (planned < end) {
      const products = Math.min(end - planned, (STRETCH_WORDS - words) * depth);
      append({
        kind: PLAIN,
        words: Math.ceil(products / depth),
        products,
        masks: planned + products === end ? mask : 0,
        maskStride: 0,
      });
    }
  }

  for (let step = 0; step < at.length; ) {
    const sumPasses = !isSound(sum, step);
    if (!isSound(product, step)) {
      addPlain(at[step], 0);
      step = addEach(EACH_PRODUCT, step);
    } else if (sumPasses && at[step] === planned) {
      step = addEach(EACH_SUM, step);
    } else {
      if (sumPasses) addPlain(at[step] + 1, appendMasks(masks, sum, step));
      step++;
    }
  }
  addPlain(window, 0);
  endStretch();
  return {
    stretches,
    masks: Int32Array.from(masks),
    layout: Int32Array.from(
      stretches.flatMap((stretch) => stretch.runs.flatMap((run) => [run.kind, run.products])),
    ),
  };

  /** A run of neighbouring steps of one kind from `step` on; returns the step after it. */
  function addEach(kind: typeof EACH_SUM | typeof EACH_PRODUCT, step: number): number {
    const start = masks.length;
    const most = STRETCH_WORDS - words;
    const width = kind === EACH_PRODUCT ? 4 : 2;
    let count = 0;
    let uniform = true;
    for (
      let next = step;
      count < most && next < at.length && at[next] === planned + count;
      next++
    ) {
      const isProduct = !isSound(product, next);
      if (isProduct !== (kind === EACH_PRODUCT) || (!isProduct && isSound(sum, next))) break;
      if (isProduct) appendMasks(masks, product, next);
      appendMasks(masks, sum, next);
      count++;
      for (let lane = 0; lane < width; lane++) {
        uniform &&= masks[masks.length - width + lane] === masks[start + lane];
      }
    }
    if (uniform) masks.length = start + width;
    append({
      kind,
      words: count,
      products: count,
      masks: start / 2,
      maskStride: uniform ? 0 : width / 2,
    });
    return step + count;
  }
}

/** Reduces a triple to what a bit becomes: (bit & and & ~or) ^ or ^ xor. Returns the number of the masks. */
function appendMasks(masks: number[], { and, or, xor }: WordMasks, step: number): number {
  return masks.push(and[step] & ~or[step], or[step] ^ xor[step]) / 2 - 1;
}

function isSound({ and, or, xor }: WordMasks, step: number): boolean {
  return (and[step] & ~or[step]) === -1 && (or[step] ^ xor[step]) === 0;
}
