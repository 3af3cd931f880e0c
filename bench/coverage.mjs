/**
 * How often 95 % intervals hold the true mean, and what they cost in maps, by simulation.
 * After `npm run build`: node bench/coverage.mjs [--repetitions N] [--seed S] [--json] [--quick]
 * Deterministic: the same seed gives the same figures. See docs/statistics.md. `--quick` repeats each study 10 times:
 * seconds, to see that all of it runs.
 */
import { parseArgs } from 'node:util';
import {
  accuracyInterval,
  costsOf,
  createPilot,
  crossedAccuracyInterval,
  loadNetwork,
  precisionRule,
} from 'bitcell/campaign';
import { multiplyAccumulates } from 'bitcell/core';
import { parseFaultModel } from 'bitcell/fault';
import { arrayLayers } from 'bitcell/models';
import { COLLAPSED, Draws, populations } from './intervals/populations.mjs';
import { bettingRule, studentRule, widenedStudentInterval } from './intervals/stopping-rules.mjs';

/** @import { Interval, PrecisionRule } from 'bitcell/campaign' */

const { values: options } = parseArgs({
  options: {
    repetitions: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const REPETITIONS = wholeNumber(
  '--repetitions',
  options.repetitions ?? (options.quick ? '10' : '2000'),
  1,
);
const SEED = wholeNumber('--seed', options.seed, 0);

/**
 * @param {string} option
 * @param {string} text
 * @param {number} least
 */
function wholeNumber(option, text, least) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new Error(`${option} ${text}: expected a whole number, at least ${least}`);
  }
  return value;
}

const MAX_MAPS = 20_000;

/**
 * @param {Interval} interval
 * @param {number} value
 */
function holds({ low, high }, value) {
  return low <= value && value <= high;
}

/**
 * Coverage, mean half-width and mean number of maps over the repetitions.
 * @param {(draws: Draws) => { interval: Interval, mean: number, maps: number }} study
 */
function repeat(study) {
  let covered = 0;
  let halfWidths = 0;
  let maps = 0;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const result = study(new Draws(SEED, repetition));
    if (holds(result.interval, result.mean)) covered += 1;
    halfWidths += (result.interval.high - result.interval.low) / 2;
    maps += result.maps;
  }
  const coverage = covered / REPETITIONS;
  return {
    coverage,
    standardError: Math.sqrt((coverage * (1 - coverage)) / REPETITIONS),
    halfWidth: halfWidths / REPETITIONS,
    maps: maps / REPETITIONS,
  };
}

/** A fixed number of maps, each on images of its own. */
function fixedSizes() {
  const methods = { student: widenedStudentInterval, bounded: accuracyInterval };
  return populations.flatMap((population) =>
    [12, 50, 200].flatMap((maps) =>
      Object.entries(methods).map(([method, interval]) => ({
        population: population.name,
        method,
        ...repeat((draws) => {
          const correct = Array.from({ length: maps }, () => draws.correct(population, IMAGES));
          return { interval: interval(correct, IMAGES), mean: population.mean, maps };
        }),
      })),
    ),
  );
}

/** Images of each map where the number of maps is fixed. */
const IMAGES = 200;

/** Stop at a precision. */
function stoppingRules() {
  const designs = [
    { precision: 0.02, images: 200 },
    { precision: 0.02, images: 25 },
    { precision: 0.05, images: 200 },
  ];
  return designs.flatMap(({ precision, images }) => {
    /** @type {Record<string, Pick<PrecisionRule, 'decide' | 'interval'>>} */
    const rules = {
      'student after 5': studentRule(precision, 5),
      'student after 4/P': studentRule(precision, Math.ceil(4 / precision)),
      betting: bettingRule(precision),
      precisionRule: precisionRule(precision, MAX_MAPS),
    };
    return populations.flatMap((population) =>
      Object.entries(rules).map(([method, rule]) => ({
        population: population.name,
        precision,
        images,
        method,
        ...repeat((draws) => {
          /** @type {number[]} */
          const correct = [];
          const results = { correct, images };
          do correct.push(draws.correct(population, images));
          while (correct.length < MAX_MAPS && rule.decide(results) === 'continue');
          return { interval: rule.interval(results), mean: population.mean, maps: correct.length };
        }),
      })),
    );
  });
}

/**
 * What `--precision 2` does where one condition with one mitigation is run: the pilot that `createPilot` makes chooses
 * the images of a map. `fixed` takes 25. Costs, pilot included, are in runs of the network on one image; an image of a
 * map takes two, one of them fault-free.
 */
function pilots() {
  const precision = 0.02;
  const batch = 20;
  const network = loadNetwork('vgg16', 'int8');
  const layers = arrayLayers(network);
  const imageRun = layers.reduce((sum, { shape }) => sum + multiplyAccumulates(shape), 0);
  const model = parseFaultModel({ model: 'uniform', faults: 'flip' }, 'coverage.mjs');
  const condition = { source: /** @type {const} */ ({ kind: 'model', name: 'flip', model }) };
  const factors = { network, batch, perImage: imageRun, renewed: 0, faultFree: imageRun };
  const oneFault = costsOf({ ...factors, faults: 1 }).map;
  const rule = precisionRule(precision, MAX_MAPS);
  return [0, 10, 1000].flatMap((mapCost) => {
    const faults = (mapCost * imageRun) / oneFault;
    const costs = costsOf({ ...factors, faults });
    const costOf = (/** @type {number} */ maps, /** @type {number} */ images) =>
      (maps * (costs.map + costs.images(images))) / imageRun;
    const pilot = createPilot(condition, {
      ...{ network, precision, batch },
      ...{ requested: faults, sharedBy: 1 },
    });
    return populations.flatMap((population) =>
      ['fixed', 'pilot'].map((method) => {
        let cost = 0;
        let chosen = 0;
        const result = repeat((draws) => {
          let images = 25;
          if (method === 'pilot') {
            const results = Array.from({ length: pilot.maps }, () => ({
              injected: faults,
              outcomes: [
                { correct: draws.correct(population, pilot.images), firstLayer: layers[0].name },
              ],
            }));
            images = pilot.choose(results);
            cost += costOf(pilot.maps, pilot.images);
          }
          /** @type {number[]} */
          const correct = [];
          do correct.push(draws.correct(population, images));
          while (correct.length < MAX_MAPS && rule.decide({ correct, images }) === 'continue');
          cost += costOf(correct.length, images);
          chosen += images;
          const interval = rule.interval({ correct, images });
          return { interval, mean: population.mean, maps: correct.length };
        });
        return {
          ...{ population: population.name, mapCost, method, images: chosen / REPETITIONS },
          ...{ imageRuns: cost / REPETITIONS, ...result },
        };
      }),
    );
  });
}

/** The same images for every map: half of them easy (never wrong on a good map), half right in 6 of 10 maps. */
function crossedDesigns() {
  const easy = 1;
  const hard = 0.6;
  /** @param {number} every one map in `every` is right on a tenth of the images, whatever they are */
  const truth = (every) => ((easy + hard) / 2) * (1 - 1 / every) + COLLAPSED / every;
  return [
    { maps: 12, images: 100, every: Infinity },
    { maps: 50, images: 100, every: 12 },
    { maps: 100, images: 200, every: 50 },
  ].flatMap((design) =>
    ['nested', 'crossed'].map((method) => ({
      ...design,
      every: design.every === Infinity ? null : design.every,
      method,
      ...repeat((draws) => {
        const isEasy = Array.from({ length: design.images }, () => draws.uniform() < 0.5);
        const perImage = Array.from({ length: design.images }, () => 0);
        const perMap = Array.from({ length: design.maps }, () => {
          const collapsed = draws.uniform() * design.every < 1;
          let correct = 0;
          for (const [image, good] of isEasy.entries()) {
            const probability = collapsed ? COLLAPSED : good ? easy : hard;
            if (draws.uniform() >= probability) continue;
            correct += 1;
            perImage[image] += 1;
          }
          return correct;
        });
        const interval =
          method === 'nested'
            ? accuracyInterval(perMap, design.images)
            : crossedAccuracyInterval({ perMap, perImage });
        return { interval, mean: truth(design.every), maps: design.maps };
      }),
    })),
  );
}

/**
 * @template T
 * @param {T} value whose numbers must all be finite
 * @param {string} place
 * @returns {T}
 */
function finite(value, place = 'result') {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Error(`${place} is ${value}`);
  }
  if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) finite(part, `${place}.${key}`);
  }
  return value;
}

const result = finite({
  schemaVersion: 1,
  seed: SEED,
  repetitions: REPETITIONS,
  fixedImages: IMAGES,
  fixed: fixedSizes(),
  precision: stoppingRules(),
  pilots: pilots(),
  crossed: crossedDesigns(),
});

/** @param {number} share */
const percent = (share) => (100 * share).toFixed(1);

/**
 * @param {readonly string[]} head
 * @param {readonly (string | number)[][]} rows
 */
function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

if (options.json) {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} else {
  const sections = [
    `${REPETITIONS} repetitions, seed ${SEED}, ${IMAGES} images a map unless told; figures in % or points\n`,
    table(
      ['population', 'maps', 'interval', 'coverage', 'half-width'],
      result.fixed.map((row) => [
        row.population,
        row.maps,
        row.method,
        percent(row.coverage),
        percent(row.halfWidth),
      ]),
    ),
    table(
      ['population', '±P', 'images', 'rule', 'coverage', 'maps'],
      result.precision.map((row) => [
        row.population,
        percent(row.precision),
        row.images,
        row.method,
        percent(row.coverage),
        Math.round(row.maps),
      ]),
    ),
    table(
      ['population', 'cost of a map', 'images', 'coverage', 'images a map', 'maps', 'cost'],
      result.pilots.map((row) => [
        row.population,
        row.mapCost,
        row.method,
        percent(row.coverage),
        row.images.toFixed(1),
        Math.round(row.maps),
        Math.round(row.imageRuns),
      ]),
    ),
    table(
      ['maps', 'images', 'collapses', 'interval', 'coverage', 'half-width'],
      result.crossed.map((row) => [
        row.maps,
        row.images,
        row.every === null ? 'none' : `1 in ${row.every}`,
        row.method,
        percent(row.coverage),
        percent(row.halfWidth),
      ]),
    ),
  ];
  process.stdout.write(sections.join('\n'));
}
