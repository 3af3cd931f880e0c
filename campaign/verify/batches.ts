import type { FeatureShape } from '../../core/index.js';
import type { Datapath } from '../../sim/index.js';
import { type Workload, workloadInputs } from '../../workload/index.js';

/** Images that both sides compute together, where memory allows. */
export const BATCH = 25;

/** The first samples of a workload, a batch at a time. */
export function* inputBatches(
  workload: Workload,
  images: number,
  batch: number,
): Generator<{ readonly inputs: Float32Array; readonly first: number; readonly count: number }> {
  for (let first = 0; first < images; first += batch) {
    const count = Math.min(batch, images - first);
    const indices = Uint32Array.from({ length: count }, (_, index) => first + index);
    yield { inputs: workloadInputs(workload, indices), first, count };
  }
}

/** Every tensor of one batch and its outputs, copied, since the datapath reuses its memory. */
export function captureRun(
  datapath: Datapath,
  inputs: Float32Array,
  count: number,
): {
  readonly tensors: ReadonlyMap<number, Uint8Array | Float32Array>;
  readonly outputs: Float32Array;
} {
  const tensors = new Map<number, Uint8Array | Float32Array>();
  const outputs = datapath.run(inputs, count, {
    tensor: (tensor, values) => tensors.set(tensor, values.slice()),
  });
  return { tensors, outputs: outputs.slice() };
}

type Values = Uint8Array | Float32Array;

/** How many values of two equally long arrays differ. */
export function countDifferent(one: Values, other: Values): number {
  let count = 0;
  for (const [index, value] of one.entries()) if (!Object.is(value, other[index])) count += 1;
  return count;
}

/** A vector of outputs, as a shape. */
export function outputShape(outputs: Values, images: number): FeatureShape {
  return { channels: outputs.length / images, height: 1, width: 1 };
}
