import { Piscina } from 'piscina';
import type { KernelModule } from '../kernels/index.js';
import { createInference, type InferenceData } from './inference.js';

/** What the pool posts to each of its threads once. */
export interface InferenceWorkerData {
  readonly data: InferenceData;
  readonly kernels: KernelModule;
}

const { data, kernels } = Piscina.workerData as InferenceWorkerData;

/** Piscina calls the default export with each task. */
export default createInference(data, kernels);
