import type { KernelCode } from '../../kernels/index.js';
import type { StudyData } from '../trial/study-data.js';
import { createTrialRunner, type ThreadOptions } from '../trial/trial-runner.js';
import { serveTasks } from './worker-thread.js';

/** What each thread of a study gets once. */
export interface WorkerData {
  readonly data: StudyData;
  readonly kernels: KernelCode;
  readonly options: ThreadOptions;
}

export default serveTasks(({ data, kernels, options }: WorkerData) =>
  createTrialRunner(data, kernels, options),
);
