import { Piscina } from 'piscina';
import type { KernelModule } from '../../kernels/index.js';
import { createCellEvaluator } from './evaluate-cell.js';
import type { TuneData } from './tune-data.js';

/** What the pool posts to each of its threads once. */
export interface TuneWorkerData {
  readonly data: TuneData;
  readonly kernels: KernelModule;
}

const { data, kernels } = Piscina.workerData as TuneWorkerData;

/** Piscina calls the default export with each task. */
export default createCellEvaluator(data, kernels);
