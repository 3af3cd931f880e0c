import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { featureCount } from '../../core/index.js';
import { decodeOnnx, type Network, type OnnxModel } from '../../models/index.js';

type Level = 'disabled' | 'all';

const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;

/** Random inputs of `images` images: normal-like reals around zero. */
export function randomInputs(network: Network, images: number, spread: number): Float32Array {
  const length = images * featureCount(network.tensors[network.input].shape);
  // A low-discrepancy sequence: the same in every run, and covering the range evenly.
  return Float32Array.from(
    { length },
    (_, index) => (((index + 1) * 0.618034) % 1) * spread - spread / 2,
  );
}

/** Every output of an ONNX file by name, as onnxruntime computes it. */
export async function runOnnx(
  bytes: Uint8Array,
  network: Network,
  inputs: Float32Array,
  level: Level,
): Promise<Map<string, number[]>> {
  const session = await InferenceSession.create(bytes, {
    ...OPTIONS,
    graphOptimizationLevel: level,
  });
  const { channels, height, width } = network.tensors[network.input].shape;
  const features =
    network.layers[0].kind === 'fully-connected' ? [channels] : [channels, height, width];
  const images = inputs.length / (channels * height * width);
  const results = await session.run({
    [session.inputNames[0]]: new Tensor('float32', inputs, [images, ...features]),
  });
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
}

/** The graph that onnxruntime makes of an ONNX file at its highest level. */
export async function optimized(bytes: Uint8Array): Promise<OnnxModel> {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
  try {
    const file = join(folder, 'optimized.onnx');
    const session = await InferenceSession.create(bytes, {
      ...OPTIONS,
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: file,
    });
    await session.release();
    return decodeOnnx(readFileSync(file), 'optimized.onnx');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
