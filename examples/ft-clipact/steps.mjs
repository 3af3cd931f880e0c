/** @import { WordFormat } from 'bitcell/models' */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {'resilience' | 'layers' | 'bits' | 'distributions' | 'sweep' | 'mitigations' | 'spread' | 'variants'} kind
 * @property {string} model
 * @property {WordFormat} [format] undefined: both
 * @property {string} [granularity]
 * @property {string} [clipPosition]
 * @property {readonly string[]} command of `bitcell`, with paths that begin with `STUDIES/` or `OUT/`
 * @property {boolean} threads whether the command takes `--threads`
 */

const MODELS = ['alexnet', 'vgg16'];
/** @type {readonly WordFormat[]} */
const FORMATS = ['float32', 'int8'];

/** @typedef {{ readonly model: string, readonly format: WordFormat }} Place */

/**
 * @typedef {{ readonly study: Readonly<Record<WordFormat, readonly string[]>>, readonly profile: readonly string[],
 *   readonly sweep: readonly string[] }} Sizes
 */

/** Sizes for a look at the whole study in minutes; its numbers mean nothing. @type {Sizes} */
const QUICK = {
  study: {
    float32: ['--rates', '1e-6,1e-5', '--maps', '2', '--images', '5'],
    int8: ['--rates', '1e-3,1e-2', '--maps', '2', '--images', '5'],
  },
  profile: ['--images', '50'],
  sweep: ['--points', '3', '--maps', '2', '--images', '5'],
};
/** @type {Sizes} */
const FULL = {
  study: { float32: [], int8: [] },
  profile: ['--images', '1000'],
  sweep: ['--points', '9', '--maps', '10', '--images', '20'],
};

/** float32 words are not requantised, so there is one place for their clip. */
const VARIANTS = {
  float32: ['layer', 'channel', 'neuron'].map((granularity) => [granularity, 'accumulator']),
  int8: ['layer', 'channel', 'neuron'].flatMap((granularity) => [
    [granularity, 'accumulator'],
    [granularity, 'requantised'],
  ]),
};

/**
 * All steps in the order in which they run: those that take hours last.
 *
 * @param {boolean} quick
 * @returns {Step[]}
 */
export function planSteps(quick) {
  const sizes = quick ? QUICK : FULL;
  const each = MODELS.flatMap((model) => FORMATS.map((format) => ({ model, format })));
  const study = (/** @type {Step['kind']} */ kind) =>
    each.map((place) => studyStep(kind, place, sizes));
  return [
    ...MODELS.map((model) => distributionStep(model, sizes)),
    ...study('resilience'),
    ...study('spread'),
    ...study('layers'),
    ...study('bits'),
    ...each.map((place) => sweepStep(place, sizes)),
    ...each.flatMap((place) => variantSteps(place, sizes)),
    ...study('mitigations'),
  ];
}

/**
 * @param {Step['kind']} kind
 * @param {Place} place
 * @param {Sizes} sizes
 * @param {readonly string[]} [options]
 * @param {string} [suffix] of the name
 * @returns {Step}
 */
function studyStep(kind, { model, format }, sizes, options = [], suffix = '') {
  const name = `${kind}-${model}-${format}${suffix}`;
  const file = `STUDIES/${kind}-${format}.yaml`;
  return {
    ...{ name, kind, model, format },
    command: [
      ...['run', file, '--model', model, ...options, ...sizes.study[format]],
      ...['--out', `OUT/stores/${name}`, '--resume', '--json'],
    ],
    threads: true,
  };
}

/** @param {Place} place @param {Sizes} sizes @returns {Step[]} */
function variantSteps(place, sizes) {
  return VARIANTS[place.format].map(([granularity, clipPosition]) => {
    const options = ['--granularity', granularity, '--clip-position', clipPosition];
    const step = studyStep('variants', place, sizes, options, `-${granularity}-${clipPosition}`);
    return { ...step, granularity, clipPosition };
  });
}

/** @param {string} model @param {Sizes} sizes @returns {Step} */
function distributionStep(model, sizes) {
  const name = `distributions-${model}`;
  return {
    ...{ name, kind: 'distributions', model },
    command: [
      ...['profile', '--model', model, ...sizes.profile],
      ...['--output', `OUT/profiles/${model}.thresholds.json`],
      ...['--distributions', `OUT/profiles/${model}.distributions.json`, '--json'],
    ],
    threads: false,
  };
}

/** @param {Place} place @param {Sizes} sizes @returns {Step} */
function sweepStep({ model, format }, sizes) {
  const name = `sweep-${model}-${format}`;
  return {
    ...{ name, kind: 'sweep', model, format },
    command: [
      ...['sweep', '--model', model, '--format', format, ...sizes.sweep],
      ...['--out', `OUT/stores/${name}`, '--resume', '--json'],
    ],
    threads: true,
  };
}

/**
 * The steps that are wanted: by their name, or by the beginning of it up to a hyphen (`spread`, `spread-vgg16`).
 *
 * @param {Step[]} steps
 * @param {string[] | undefined} only
 * @throws {Error} when a name fits no step
 */
export function chooseSteps(steps, only) {
  if (only === undefined) return steps;
  const fits = (/** @type {Step} */ step, /** @type {string} */ name) =>
    step.name === name || step.name.startsWith(`${name}-`);
  const unknown = only.find((name) => !steps.some((step) => fits(step, name)));
  if (unknown !== undefined) {
    const names = steps.map(({ name }) => name).join(', ');
    throw new Error(`--only ${unknown}: no such step; steps: ${names}`);
  }
  return steps.filter((step) => only.some((name) => fits(step, name)));
}
