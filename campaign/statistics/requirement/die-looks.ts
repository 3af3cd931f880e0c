import { checkCount } from '../arguments.js';
import type { Estimate } from '../interval.js';
import { type PairedImages, pairedImagesDifference } from './paired-images.js';

/** A moment at which a die may end. */
export interface DieLook {
  /** Images that it has run by then. */
  readonly images: number;
  /** Of the interval by which it is then judged. */
  readonly confidence: number;
}

/** What may go wrong at any look: what is not spent at those before, at the last one. */
const DOUBT = 0.05;

/** Looks at which a die can only fail, and does if it has collapsed: that takes little doubt. */
const COLLAPSE_LOOKS: readonly DieLook[] = [
  { images: 75, confidence: 0.999 },
  { images: 150, confidence: 0.999 },
];

/** The first look at which a die can pass at 2 points, and what may go wrong at it and those after it but the last. */
const FIRST_PASS = 300;
const PASS_DOUBT = 0.018;

/** A look so near to the last one would save few images. */
const LEAST_GROWTH_TO_LAST = 1.5;

/**
 * The looks at a die of which at most so many images are run: after 75, 150, 300, 424, 600, 849, … images, each √2 times
 * the one before, as long as half as many again are left, and after all. What goes wrong at any of them adds up to 5 %:
 * 0.1 % at each of the first two, 1.8 % shared equally by the others before the last one, and the rest, at least 3 %, at
 * the last one, so that its interval is little wider than that of a die with one look. The intervals of all looks hold
 * together (the union bound), whatever decides at which of them a die ends. With one look it is 95 %.
 *
 * @param images 1 to 1,000,000
 * @returns ascending; the last one has all images
 * @throws RangeError for others
 */
export function dieLooks(images: number): readonly DieLook[] {
  checkCount('images', images, 1, 1_000_000);
  const isEarly = (look: number) => LEAST_GROWTH_TO_LAST * look <= images;
  const collapse = COLLAPSE_LOOKS.filter((look) => isEarly(look.images));
  const passes: number[] = [];
  for (let look = FIRST_PASS; isEarly(look); ) {
    passes.push(look);
    look = Math.round(FIRST_PASS * Math.SQRT2 ** passes.length);
  }
  const early = [
    ...collapse,
    ...passes.map((look) => ({ images: look, confidence: 1 - PASS_DOUBT / passes.length })),
  ];
  const spent = early.reduce((sum, { confidence }) => sum + 1 - confidence, 0);
  return [...early, { images, confidence: 1 - DOUBT + spent }];
}

/**
 * The change of accuracy at a look.
 *
 * @param isSame whether a die is the network that it is compared with: then nothing is lost on whatever images
 * @throws RangeError for counts that are more than the images of the look
 */
export function differenceAtLook(
  paired: PairedImages,
  { images, confidence }: DieLook,
  isSame = false,
): Estimate {
  return isSame ? { mean: 0, low: 0, high: 0 } : pairedImagesDifference(paired, images, confidence);
}
