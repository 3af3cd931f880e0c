import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeatureShape } from '../../core/index.js';
import { decodeOnnx, nodeLabel } from '../../models/index.js';
import { loadOnnxruntime } from './load-onnxruntime.js';

/** How far onnxruntime may rewrite a graph: not at all, or with every fusion it has. */
export type OptimizationLevel = 'disabled' | 'all';

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
  ): Promise<ReadonlyMap<string, Uint8Array | Float32Array>>;
  release(): Promise<void>;
}

/** Load the bytes of an ONNX file. */
export async function loadReference(
  model: Uint8Array,
  graphOptimizationLevel: OptimizationLevel,
  threads: number,
): Promise<Reference> {
  const { InferenceSession, Tensor } = await loadOnnxruntime();
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    async run(images, { channels, height, width }, count) {
      const input = new Tensor('float32', images, [count, channels, height, width]);
      const outputs = await session.run({ [session.inputNames[0]]: input });
      return new Map(
        Object.entries(outputs).map(([name, { data }]) => [
          name,
          data instanceof Int8Array
            ? Uint8Array.from(data, (value) => value + 128)
            : (data as Uint8Array | Float32Array),
        ]),
      );
    },
    release: () => session.release(),
  };
}

/** Operators that compute in float32 although the network is quantised: what a fusion left behind. */
const FLOAT_OPERATORS = new Set([
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
    const { InferenceSession } = await loadOnnxruntime();
    const session = await InferenceSession.create(model, {
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
