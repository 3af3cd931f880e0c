/**
 * How often the interval by which a die is judged holds its true loss, and how wide it is, by simulation.
 * After `npm run build`: node bench/paired-images.mjs [--dies N] [--images N] [--seed S]
 * Deterministic: the same seed gives the same figures.
 */
import { parseArgs } from 'node:util';
import { pairedImagesDifference } from 'bitcell/campaign';
import { Draws } from './intervals/populations.mjs';

const { values: options } = parseArgs({
  options: {
    dies: { type: 'string', default: '10000' },
    images: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
});
const [DIES, IMAGES] = [options.quick ? 20 : Number(options.dies), Number(options.images)];

/** Of the images that differ, those that a die loses. */
const LOSSES = 0.7;

/** Accuracy of both networks, for the interval of other images that the paired one is compared with. */
const ACCURACY = 0.8;
const unpaired = 2 * 1.96 * Math.sqrt((2 * ACCURACY * (1 - ACCURACY)) / IMAGES);

const draws = new Draws(Number(options.seed), 0);
console.log(`${DIES} dies, ${IMAGES} images each`);
for (const differing of [0.005, 0.02, 0.05, 0.15, 0.4]) {
  const truth = differing * (1 - 2 * LOSSES);
  let covered = 0;
  const widths = Array.from({ length: DIES }, () => {
    let [lost, gained] = [0, 0];
    for (let image = 0; image < IMAGES; image += 1) {
      const place = draws.uniform();
      if (place < differing * LOSSES) lost += 1;
      else if (place < differing) gained += 1;
    }
    const { low, high } = pairedImagesDifference({ lost, gained }, IMAGES);
    if (low <= truth && truth <= high) covered += 1;
    return high - low;
  }).sort((one, other) => one - other);
  const median = widths[Math.floor(DIES / 2)];
  console.log(
    `${100 * differing} % differ: covers ${((100 * covered) / DIES).toFixed(2)} %, median width ${(100 * median).toFixed(2)} points, ${(median / unpaired).toFixed(2)} of the unpaired one`,
  );
}
