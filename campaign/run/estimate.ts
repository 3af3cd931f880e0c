import { loadKernels } from '../../kernels/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { workloadInputs } from '../../workload/index.js';
import type { StoppingRule } from '../points/stopping.js';
import { expectedMaps, LOOK_GROWTH } from '../statistics/index.js';
import type { Condition } from '../study/conditions.js';
import type { Study } from '../study/study.js';
import type { StudyNetwork } from '../trial/study-data.js';
import { BATCH, studyBatch } from '../trial/trial-runner.js';
import type { PreparedStudy } from './prepare.js';

/** How much a study is to run; where it has a precision, or dies that end when they are settled, about at most. */
export interface PlanSize {
  readonly conditions: number;
  readonly points: number;
  /** Those of pilots included. */
  readonly trials: number;
  /** Images put through a network: one for each image, map and mitigation, and the fault-free ones. */
  readonly imageRuns: number;
}

/** Count what a study is to run. */
export function planSize(prepared: PreparedStudy): PlanSize {
  const { conditions, networks, study } = prepared.data;
  return {
    conditions: conditions.length,
    points: conditions.length * study.mitigations.length,
    trials: conditions.reduce((sum, condition) => sum + runsOf(prepared, condition).maps, 0),
    imageRuns: networks.reduce((sum, network) => sum + imageRunsOf(prepared, network), 0),
  };
}

/** Maps of a condition, those of its pilot included, and the images of them together. */
function runsOf(
  { data, ruleOf, imagesOf }: PreparedStudy,
  condition: Condition,
): { readonly maps: number; readonly images: number } {
  const images = imagesOf(condition);
  const maps = mostMaps(data.study, ruleOf(condition));
  if (typeof images === 'number') return { maps, images: maps * images };
  return { maps: images.maps + maps, images: images.maps * images.images + images.mostImages };
}

/** No maps vary more than those of which half are always right and half never. */
function mostMaps({ precision, dies }: Study, { maxMaps }: StoppingRule): number {
  if (precision === undefined || dies) return maxMaps;
  return Math.min(maxMaps, Math.ceil(LOOK_GROWTH * expectedMaps(1 / 4, precision / 100)));
}

/** The fault-free network sees each image at most once for each mitigation. */
function imageRunsOf(prepared: PreparedStudy, one: StudyNetwork): number {
  const { conditions, study, workload } = prepared.data;
  const own = conditions.filter(
    ({ model, format }) => model === one.model && format === one.network.format,
  );
  const imagesOfRuns = (condition: Condition) => runsOf(prepared, condition).images;
  const faulty = own
    .filter(({ rate }) => rate > 0)
    .reduce((sum, condition) => sum + imagesOfRuns(condition) * study.mitigations.length, 0);
  const drawn =
    study.imageChoice === 'fixed' ? Number(study.images) : Math.max(...own.map(imagesOfRuns));
  return faulty + Math.min(drawn, workload.samples) * one.golden.size;
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
  const datapath = createNetworkDatapath(network, loadKernels(), studyBatch(network));
  const indices = Uint32Array.from({ length: CALIBRATION_IMAGES }, (_, index) => index);
  const inputs = workloadInputs(data.workload, indices);
  datapath.run(inputs, CALIBRATION_IMAGES);
  const started = performance.now();
  datapath.run(inputs, CALIBRATION_IMAGES);
  return CALIBRATION_IMAGES / ((performance.now() - started) / 1000);
}
