import type { LayerThresholds } from '../../mitigation/index.js';
import type { RestartPoint } from '../../sim/index.js';
import { top1 } from '../../workload/index.js';
import type { LayerRunner } from './layer-runner.js';
import { valuesAt } from './start-point.js';

/** Values of one image at a point, and what the network makes of them from there on. */
export interface Tail {
  readonly values: Uint8Array | Float32Array;
  /** Top-1 class, once the tail has run. */
  top1?: number | undefined;
  readonly whenKnown: ((top1: number) => void)[];
}

/**
 * Runs tails, from a point to the outputs, in full batches, each different one once. Candidates that differ only in
 * front of the point often leave the same values there: an image without an activation between two thresholds has
 * one tail for both, and one of a threshold of 0 has that of every other image.
 */
export interface TailRunner {
  /**
   * The tail of an image that lies in the tensor of the point.
   *
   * @param slot place of the image in the batch
   * @param known tails that may be the same
   */
  tailOf(slot: number, known: Iterable<Tail>): Tail;
  /** The tail of an image that lies in the tensor of the point, when its top-1 class is known already. */
  knownTail(slot: number, top1: number): Tail;
  /** Call back with the top-1 class of a tail, now or when it has run. */
  ask(tail: Tail, whenKnown: (top1: number) => void): void;
  /** Run those of the waiting tails that make full batches; it overwrites the datapath's tensors. */
  runFullBatches(): void;
  /** Run all that wait. */
  finish(): void;
}

/** @param thresholds of the layers behind the point */
export function createTailRunner(
  runner: LayerRunner,
  point: RestartPoint,
  thresholds: LayerThresholds,
): TailRunner {
  const { datapath } = runner;
  const { network, batch, classes } = datapath;
  const length = valuesAt(network, point);
  const outputs = new Float32Array(batch * classes);
  let waiting: Tail[] = [];

  function runBatch(tails: readonly Tail[]): void {
    const size = tails.length;
    runner.load(
      point,
      tails.map(({ values }) => values),
      0,
      size,
    );
    runner.run(point.layer, network.layers.length, size);
    datapath.readOutputs(outputs, size);
    for (const [slot, tail] of tails.entries()) {
      const found = top1(outputs.subarray(slot * classes, (slot + 1) * classes));
      tail.top1 = found;
      for (const tell of tail.whenKnown) tell(found);
    }
  }

  function runWaiting(least: number): void {
    if (waiting.length < least) return;
    runner.install(thresholds);
    while (waiting.length >= least) {
      runBatch(waiting.slice(0, batch));
      waiting = waiting.slice(batch);
    }
  }

  const valuesOf = (slot: number) =>
    datapath.tensors[point.tensor].subarray(slot * length, (slot + 1) * length);

  return {
    tailOf(slot, known) {
      const values = valuesOf(slot);
      for (const tail of known) if (haveSameBytes(tail.values, values)) return tail;
      const tail: Tail = { values: values.slice(), whenKnown: [] };
      waiting.push(tail);
      return tail;
    },
    knownTail: (slot, top1) => ({ values: valuesOf(slot).slice(), top1, whenKnown: [] }),
    ask(tail, whenKnown) {
      if (tail.top1 === undefined) tail.whenKnown.push(whenKnown);
      else whenKnown(tail.top1);
    },
    runFullBatches: () => runWaiting(batch),
    finish: () => runWaiting(1),
  };
}

function haveSameBytes(one: Uint8Array | Float32Array, other: Uint8Array | Float32Array): boolean {
  const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytesOf(one).equals(bytesOf(other));
}
