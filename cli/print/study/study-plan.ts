import {
  CALIBRATION_IMAGES,
  estimateSeconds,
  looksOfDies,
  type PreparedStudy,
  planSize,
  pointKey,
  type StudyDies,
  singleFaultSamples,
  studyInputOf,
} from '../../../campaign/index.js';
import { NO_MITIGATION } from '../../../mitigation/index.js';
import { printResult } from '../output.js';
import { duration } from '../progress.js';
import { grouped } from '../table.js';
import { formatMeasuredDies } from './die-table.js';
import { counted, formatConditions, formatSampleSizes } from './study-table.js';

/** Print what a study is to run: the study, its conditions, its size and an estimate of the time. */
export function printPlan(
  prepared: PreparedStudy,
  {
    dies,
    threads,
    json,
  }: {
    readonly dies: StudyDies | undefined;
    readonly threads: number;
    readonly json: boolean | undefined;
  },
): void {
  const { study } = prepared.data;
  const conditions = prepared.data.conditions.map((condition) => {
    const { mitigation: _, ...key } = pointKey(condition, NO_MITIGATION.name);
    return key;
  });
  const size = planSize(prepared);
  const seconds = estimateSeconds(prepared, threads);
  const sampleSizes = singleFaultSamples(prepared.data);
  const isOpen = study.dies ? looksOfDies(study).length > 1 : study.precision !== undefined;
  const atMost = isOpen ? 'at most about ' : '';
  printResult(
    json,
    {
      study: studyInputOf(study),
      seed: study.seed,
      ...size,
      ...(dies && { dies: dies.measured, warnings: dies.warnings }),
      plan: conditions.map((condition, index) => ({ condition: index, ...condition })),
      ...(sampleSizes.length > 0 && { sampleSizes }),
      seconds,
      estimatedFrom: `${CALIBRATION_IMAGES} images of each network, timed now; ${counted(threads, 'thread')}`,
    },
    () =>
      [
        JSON.stringify(studyInputOf(study), null, 2),
        '',
        ...formatConditions(conditions),
        '',
        ...(dies ? [...formatMeasuredDies(dies.measured), ''] : []),
        `${grouped(size.points)} points, ${atMost}${grouped(size.trials)} trials, ${atMost}${grouped(size.imageRuns)} image runs`,
        `${atMost || 'about '}${duration(seconds)} on ${counted(threads, 'thread')}, from ${CALIBRATION_IMAGES} images of each network timed now`,
        ...(study.images === 'pilot'
          ? ['A pilot of each condition, included, chooses its images a map.']
          : []),
        ...formatSampleSizes(sampleSizes),
      ].join('\n'),
  );
}
