import { createTrialRunner } from '../../dist/campaign/context.js';
import { parseStudy, prepareStudy } from '../../dist/campaign/index.js';
import { compileKernels } from '../../dist/kernels/index.js';
import { median, timed } from './timed.mjs';

const ROUNDS = 5;
const DELTA_BYTES = 2 ** 28;

/**
 * A campaign of single faults against the plain path, on one thread.
 * @param {string} model
 * @param {number} images images a trial
 * @param {number} wanted trials
 */
export async function singleFaults(model, images, wanted) {
  const trials = Math.ceil(wanted / ROUNDS);
  const study = parseStudy({
    ...{ model, format: 'int8', faults: 'flip', faultCount: 1 },
    ...{ mitigations: ['none'], images, imageChoice: 'fixed' },
  });
  const { data } = prepareStudy(study);
  const kernels = compileKernels();
  const [plain, incremental] = /** @type {const} */ (['plain', 'incremental']).map((engine) =>
    createTrialRunner(data, kernels, { engine, deltaBytes: DELTA_BYTES }),
  );
  const trial = (/** @type {number} */ map) => ({
    ...{ condition: 0, map, images },
    mitigations: /** @type {const} */ (['none']),
  });
  for (const run of [plain, incremental]) run(trial(999_999));
  /** @type {number[]} */
  const plainSeconds = [];
  /** @type {number[]} */
  const incrementalSeconds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    plainSeconds.push(await timed(() => plain(trial(round))));
    const seconds = await timed(() => {
      for (let map = 0; map < trials; map += 1) incremental(trial(round * trials + map));
    });
    incrementalSeconds.push(seconds / trials);
  }
  return {
    images,
    plainTrialsPerSecond: 1 / median(plainSeconds),
    trialsPerSecond: 1 / median(incrementalSeconds),
    ratio: median(plainSeconds.map((seconds, round) => seconds / incrementalSeconds[round])),
  };
}
