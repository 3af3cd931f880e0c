import { Piscina } from 'piscina';
import type { KernelModule } from '../kernels/index.js';
import { createTrialRunner, type StudyData, type ThreadOptions } from './context.js';

/** What the pool posts to each of its threads once. */
export interface WorkerData {
  readonly data: StudyData;
  readonly kernels: KernelModule;
  readonly options: ThreadOptions;
}

const { data, kernels, options } = Piscina.workerData as WorkerData;

/** Piscina calls the default export with each task. */
export default createTrialRunner(data, kernels, options);
