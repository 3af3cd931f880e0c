import { featureCount } from '../../../core/index.js';
import {
  type ElementType,
  elementArray,
  type Network,
  networkInputs,
} from '../../../models/index.js';
import { type ElementArray, readElements, writeElements } from '../../../sim/index.js';
import { loadOnnxruntime } from '../load-onnxruntime.js';
import { createSession, type OptimizationLevel } from '../onnxruntime.js';

/** Values that onnxruntime made of one sample, by name, as float32 numbers or as integers. */
export type SampleOutputs = ReadonlyMap<string, Float32Array>;

interface Output {
  readonly data: ElementArray;
  readonly type: ElementType;
}

/** A file in onnxruntime, which takes one sample after the other. */
export interface FileSession {
  /** @param sample all inputs of the network one behind the other, in the order of the file */
  run(sample: Float32Array): Promise<SampleOutputs>;
  release(): Promise<void>;
}

/**
 * Loads an ONNX file that takes what a network takes.
 *
 * @throws UnloadableError when onnxruntime does not load it
 */
export async function loadFile(
  file: Uint8Array,
  network: Network,
  graphOptimizationLevel: OptimizationLevel,
  threads: number,
): Promise<FileSession> {
  const { Tensor } = await loadOnnxruntime();
  const session = await createSession(file, {
    graphOptimizationLevel,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const metadata = session.inputMetadata as readonly {
    readonly name: string;
    readonly shape: readonly (number | string)[];
  }[];
  const batches = metadata.map(({ shape: [batch] }) => (typeof batch === 'number' ? batch : 1));
  // A file for several samples gets as many equal ones.
  const copies = Math.max(1, ...batches);
  return {
    async run(sample) {
      let first = 0;
      const feeds = networkInputs(network).map(({ name, dims, elementType, tensor }) => {
        const length = featureCount(network.tensors[tensor].shape);
        const numbers = sample.subarray(first, first + length);
        first += length;
        const repeated = new Float32Array(length * copies);
        for (let copy = 0; copy < copies; copy += 1) repeated.set(numbers, copy * length);
        const sizes = copies === 1 ? dims : dims.with(0, copies);
        const data = elementArray(elementType, repeated.length);
        writeElements(repeated, elementType, data);
        // The constructor wants the array that belongs to the type, which TypeScript cannot follow.
        return [
          name,
          new Tensor(elementType as 'float32', data as unknown as Float32Array, sizes),
        ] as const;
      });
      const outputs = await session.run(Object.fromEntries(feeds));
      return new Map(
        Object.entries(outputs as Readonly<Record<string, Output>>).map(([name, output]) => {
          const { data, type } = output;
          const numbers = new Float32Array(data.length);
          readElements(data, type, numbers);
          return [name, numbers.subarray(0, numbers.length / copies)];
        }),
      );
    },
    release: () => session.release(),
  };
}
