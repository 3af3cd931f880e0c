import type { KernelCode } from '../../kernels/index.js';
import { serveTasks } from '../execute/worker-thread.js';
import { createCellEvaluator } from './score-map.js';
import type { TuneData } from './tune-data.js';

/** What each thread of a search gets once. */
export interface TuneWorkerData {
  readonly data: TuneData;
  readonly kernels: KernelCode;
}

export default serveTasks(({ data, kernels }: TuneWorkerData) =>
  createCellEvaluator(data, kernels),
);
