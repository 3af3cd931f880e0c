/**
 * How often the interval by which a die is judged holds its true loss, and how wide it is, by simulation: of dies that
 * run all of their images, and of dies that end when they are settled.
 * After `npm run build`: node bench/paired-images.mjs [--dies N] [--images N] [--seed S]
 * Deterministic: the same seed gives the same figures.
 */
import { parseArgs } from 'node:util';
import { dieLooks, dieVerdict, differenceAtLook, isSettled } from 'bitcell/campaign';
import { Draws } from './intervals/populations.mjs';
import { median } from './measure.mjs';

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

/** What a good die may lose. */
const WITHIN = 0.02;

/** Accuracy of both networks, for the interval of other images that the paired one is compared with. */
const ACCURACY = 0.8;

/** @param {number} images */
const unpairedWidth = (images) => 2 * 1.96 * Math.sqrt((2 * ACCURACY * (1 - ACCURACY)) / images);

const all = [{ images: IMAGES, confidence: 0.95 }];
const looks = dieLooks(IMAGES);
const RULES = [
  { name: 'all images', looks: all, aim: { within: WITHIN } },
  { name: 'settled at 2 points', looks, aim: { within: WITHIN } },
  {
    name: 'settled at 2 points, and known to ±1.5',
    looks,
    aim: { within: WITHIN, precision: 0.015 },
  },
];

/** @type {Map<string, import('bitcell/campaign').Estimate>} */
const known = new Map();

/**
 * The interval of a die at a look; many dies have the same.
 * @param {number} lost
 * @param {number} gained
 * @param {import('bitcell/campaign').DieLook} look
 */
function intervalOf(lost, gained, look) {
  const key = `${lost} ${gained} ${look.images} ${look.confidence}`;
  const found = known.get(key) ?? differenceAtLook({ lost, gained }, look);
  known.set(key, found);
  return found;
}

/**
 * Run one die.
 * @param {(typeof RULES)[number]} rule
 * @param {number} differing share of the images
 * @param {Draws} draws
 */
function runDie({ looks, aim }, differing, draws) {
  let [lost, gained, done] = [0, 0, 0];
  for (const look of looks) {
    for (; done < look.images; done += 1) {
      const place = draws.uniform();
      if (place < differing * LOSSES) lost += 1;
      else if (place < differing) gained += 1;
    }
    const difference = intervalOf(lost, gained, look);
    if (look.images === IMAGES || isSettled(difference, aim)) {
      return { images: look.images, difference };
    }
  }
  throw new Error('a die without a last look');
}

/** @param {number} count */
const share = (count) => `${((100 * count) / DIES).toFixed(2)} %`;

console.log(
  `${DIES} dies, ${IMAGES} images each, looks at ${looks.map(({ images }) => images).join(', ')}`,
);
for (const rule of RULES) {
  console.log(`\n${rule.name}`);
  for (const [at, differing] of [0.005, 0.02, 0.05, 0.15, 0.4].entries()) {
    const truth = differing * (1 - 2 * LOSSES);
    const draws = new Draws(Number(options.seed), at);
    const dies = Array.from({ length: DIES }, () => runDie(rule, differing, draws));
    const covered = dies.filter(
      ({ difference: { low, high } }) => low <= truth && truth <= high,
    ).length;
    const wrong = dies.filter(({ difference }) => {
      const verdict = dieVerdict(difference, WITHIN);
      return verdict !== 'undecided' && verdict !== (-truth <= WITHIN ? 'pass' : 'fail');
    }).length;
    const widths = dies.map(({ difference: { low, high } }) => high - low);
    const ratios = dies.map(({ images }, die) => widths[die] / unpairedWidth(images));
    const images = dies.reduce((sum, die) => sum + die.images, 0) / DIES;
    const measured = dies.reduce((sum, { difference }) => sum + difference.mean, 0) / DIES;
    console.log(
      `${100 * differing} % differ: covers ${share(covered)}, median width ${(100 * median(widths)).toFixed(2)} points, ${median(ratios).toFixed(2)} of the unpaired one; ${images.toFixed(0)} images, wrong verdicts ${share(wrong)}, mean change ${(100 * measured).toFixed(2)} of ${(100 * truth).toFixed(2)} points`,
    );
  }
}
