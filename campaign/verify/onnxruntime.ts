import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import type { FeatureShape } from '../../core/index.js';
import { decodeOnnx, nodeLabel } from '../../models/index.js';
import { loadOnnxruntime } from './load-onnxruntime.js';

/** How far onnxruntime may rewrite a graph: not at all, or with every fusion it has. */
export type OptimizationLevel = 'disabled' | 'all';

type Values = Uint8Array | Float32Array;

/** A network loaded into onnxruntime. */
export interface Reference {
  /**
   * Run images (image × channel × height × width); returns every graph output by name, int8 ones as
   * Bitcell keeps them: as uint8, 128 more.
   */
  run(
    images: Float32Array,
    shape: FeatureShape,
    count: number,
  ): Promise<ReadonlyMap<string, Values>>;
  release(): Promise<void>;
}

/** onnxruntime does not load a model, and says why. */
export class UnloadableError extends Error {}

/** @throws UnloadableError when onnxruntime does not load the model */
export async function createSession(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const { InferenceSession } = await loadOnnxruntime();
  try {
    return await InferenceSession.create(model, options);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new UnloadableError(reason, { cause: error });
  }
}

/**
 * Load the bytes of an ONNX file.
 *
 * @throws UnloadableError when onnxruntime does not load it
 */
export async function loadReference(
  model: Uint8Array,
  graphOptimizationLevel: OptimizationLevel,
  threads: number,
): Promise<Reference> {
  const { Tensor } = await loadOnnxruntime();
  const session = await createSession(model, {
    graphOptimizationLevel,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const [{ shape: dims }] = session.inputMetadata as readonly {
    readonly shape: readonly unknown[];
  }[];
  return {
    async run(images, { channels, height, width }, count) {
      const features = dims.length === 2 ? [channels] : [channels, height, width];
      const batch = typeof dims[0] === 'number' ? dims[0] : count;
      const length = channels * height * width;
      const parts: Record<string, Values>[] = [];
      for (let first = 0; first < count; first += batch) {
        const part = new Float32Array(batch * length);
        part.set(images.subarray(first * length, Math.min(first + batch, count) * length));
        const input = new Tensor('float32', part, [batch, ...features]);
        const outputs = await session.run({ [session.inputNames[0]]: input });
        const share = Math.min(batch, count - first) / batch;
        parts.push(
          Object.fromEntries(
            Object.entries(outputs).map(([name, { data }]) => {
              const values = asStored(data as Values | Int8Array);
              return [name, values.subarray(0, values.length * share)];
            }),
          ),
        );
      }
      return new Map(
        Object.keys(parts[0]).map((name) => [name, joined(parts.map((part) => part[name]))]),
      );
    },
    release: () => session.release(),
  };
}

function asStored(data: Values | Int8Array): Values {
  return data instanceof Int8Array ? Uint8Array.from(data, (value) => value + 128) : data;
}

function joined(parts: readonly Values[]): Values {
  const [first] = parts;
  if (parts.length === 1) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = first instanceof Float32Array ? new Float32Array(length) : new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** Operators that compute in float32 although the network is quantised: what a fusion left behind. */
export const FLOAT_OPERATORS: ReadonlySet<string> = new Set([
  'Conv',
  'FusedConv',
  'Gemm',
  'FusedGemm',
  'MatMul',
  'Relu',
  'Clip',
  'LeakyRelu',
  'Add',
  'Concat',
  'AveragePool',
  'GlobalAveragePool',
]);

/**
 * The quantised groups that onnxruntime leaves unfused in a QDQ model at its highest optimisation
 * level, and so runs in float: the names of their nodes.
 */
export async function unfusedGroups(model: Uint8Array): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
  try {
    const file = join(folder, 'optimized.onnx');
    const session = await createSession(model, {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: file,
      logSeverityLevel: 3,
    });
    await session.release();
    const { graph } = decodeOnnx(readFileSync(file), file);
    return graph.nodes.filter(({ opType }) => FLOAT_OPERATORS.has(opType)).map(nodeLabel);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
