import { compileKernels } from '../kernels/index.js';
import { normalize } from '../models/index.js';
import { createNetworkDatapath } from '../sim/index.js';
import { BATCH, type StudyNetwork } from './context.js';
import type { PreparedStudy } from './prepare-study.js';

/** How much a study is to run; where it has a precision, at most. */
export interface PlanSize {
  readonly conditions: number;
  readonly points: number;
  readonly trials: number;
  /** Images put through a network: one for each image, map and mitigation, and the fault-free ones. */
  readonly imageRuns: number;
}

/** Count what a study is to run. */
export function planSize(prepared: PreparedStudy): PlanSize {
  const { conditions, networks, study } = prepared.data;
  const trials = conditions.reduce((sum, one) => sum + prepared.ruleOf(one).maxMaps, 0);
  return {
    conditions: conditions.length,
    points: conditions.length * study.mitigations.length,
    trials,
    imageRuns: networks.reduce((sum, network) => sum + imageRunsOf(prepared, network), 0),
  };
}

/** The fault-free network sees each image at most once for each mitigation. */
function imageRunsOf({ data, ruleOf }: PreparedStudy, one: StudyNetwork): number {
  const { conditions, study, dataset } = data;
  const maps = conditions
    .filter(({ model, format }) => model === one.model && format === one.network.format)
    .map((condition) => ({ faulty: condition.rate > 0, count: ruleOf(condition).maxMaps }));
  const faulty = maps
    .filter((map) => map.faulty)
    .reduce((sum, { count }) => sum + count * study.images * study.mitigations.length, 0);
  const choices = study.imageChoice === 'fixed' ? 1 : Math.max(...maps.map(({ count }) => count));
  const drawn = choices * study.images;
  return faulty + Math.min(drawn, dataset.count) * one.golden.size;
}

/**
 * Seconds that a study takes, from the speed of each network on this thread now: a batch of images, after one that
 * warms it up. What drawing and placing faults costs is left out.
 */
export function estimateSeconds(prepared: PreparedStudy, threads: number): number {
  return prepared.data.networks.reduce(
    (sum, network) =>
      sum + imageRunsOf(prepared, network) / (imagesPerSecond(prepared, network) * threads),
    0,
  );
}

/** Images that `estimateSeconds` times on each network. */
export const CALIBRATION_IMAGES = BATCH;

function imagesPerSecond({ data }: PreparedStudy, { network }: StudyNetwork): number {
  const datapath = createNetworkDatapath(network, compileKernels(), BATCH);
  const indices = Uint32Array.from({ length: CALIBRATION_IMAGES }, (_, index) => index);
  const inputs = normalize(data.dataset, indices);
  datapath.run(inputs, CALIBRATION_IMAGES);
  const started = performance.now();
  datapath.run(inputs, CALIBRATION_IMAGES);
  return CALIBRATION_IMAGES / ((performance.now() - started) / 1000);
}
