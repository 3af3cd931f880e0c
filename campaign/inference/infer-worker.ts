import type { KernelCode } from '../../kernels/index.js';
import { serveTasks } from '../execute/worker-thread.js';
import { createInference, type InferenceData } from './inference.js';

/** What each thread of an inference gets once. */
export interface InferenceWorkerData {
  readonly data: InferenceData;
  readonly kernels: KernelCode;
}

export default serveTasks(({ data, kernels }: InferenceWorkerData) =>
  createInference(data, kernels),
);
