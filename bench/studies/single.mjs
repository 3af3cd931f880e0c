import { createTrialRunner, parseStudy, prepareStudy } from 'bitcell/campaign';
import { loadKernels } from 'bitcell/kernels';
import { measurement, timed } from '../measure.mjs';

const DELTA_BYTES = 2 ** 28;

/**
 * A campaign of single faults against the plain path, on one thread.
 * @param {string} model
 * @param {number} images images a trial
 * @param {number} wanted trials
 * @param {number} rounds in which both take turns
 */
export async function singleFaults(model, images, wanted, rounds) {
  const trials = Math.ceil(wanted / rounds);
  const study = parseStudy({
    ...{ model, format: 'int8', faults: 'flip', faultCount: 1 },
    ...{ mitigations: ['none'], images, imageChoice: 'fixed' },
  });
  const { data } = prepareStudy(study);
  const kernels = loadKernels();
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
  for (let round = 0; round < rounds; round += 1) {
    plainSeconds.push(await timed(() => plain(trial(round))));
    const seconds = await timed(() => {
      for (let map = 0; map < trials; map += 1) incremental(trial(round * trials + map));
    });
    incrementalSeconds.push(seconds / trials);
  }
  return {
    images,
    plain: measurement('a trial, all images through the whole network', 's', plainSeconds),
    incremental: measurement('a trial', 's', incrementalSeconds),
    ratio: measurement(
      'plain over incremental',
      '1',
      plainSeconds.map((seconds, round) => seconds / incrementalSeconds[round]),
    ),
  };
}
