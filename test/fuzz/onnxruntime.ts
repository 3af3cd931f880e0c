import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  decodeOnnx,
  encodeOnnx,
  nodeLabel,
  type OnnxModel,
  type OnnxNode,
} from '../../models/index.js';
import type { FuzzCase } from './build.js';
import type { Form } from './support.js';

/** What onnxruntime made of a model. */
export interface ReferenceRun {
  /** Every graph output by name. */
  readonly outputs: ReadonlyMap<string, Uint8Array | Int8Array | Float32Array>;
  /** Nodes that compute in float32 although they stand in a quantised network. */
  readonly unfused: readonly string[];
}

/** Runs a model: QDQ files with every fusion, others as they are. */
export async function runReference(
  model: OnnxModel,
  { inputs, inputDims }: FuzzCase,
  form: Form,
): Promise<ReferenceRun> {
  const folder = form === 'qdq' ? mkdtempSync(join(tmpdir(), 'bitcell-fuzz-')) : undefined;
  const optimized = folder && join(folder, 'optimized.onnx');
  try {
    const session = await InferenceSession.create(encodeOnnx(model), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      // 4: fatal errors only; the others are thrown, too.
      logSeverityLevel: 4,
      graphOptimizationLevel: form === 'qdq' ? 'all' : 'disabled',
      ...(optimized && { optimizedModelFilePath: optimized }),
    });
    try {
      const results = await session.run({ input: new Tensor('float32', inputs, inputDims) });
      const outputs = new Map(
        Object.entries(results).map(([name, { data }]) => [
          name,
          data as Uint8Array | Int8Array | Float32Array,
        ]),
      );
      const unfused = optimized ? floatNodes(decodeOnnx(readFileSync(optimized), optimized)) : [];
      return { outputs, unfused };
    } finally {
      await session.release();
    }
  } finally {
    if (folder) rmSync(folder, { recursive: true });
  }
}

/** Only orders of axes, which onnxruntime may move to where values are still or again float32. */
const REORDERINGS = new Set(['Transpose', 'Identity']);

/** The nodes between a DequantizeLinear and the next QuantizeLinear: groups that were not fused. */
function floatNodes({ graph }: OnnxModel): string[] {
  const floats = new Set(graph.inputs.map(({ name }) => name));
  const found: string[] = [];
  const fromInput = new Set(floats);
  for (const node of graph.nodes) {
    const takesFloat = node.inputs.some((name) => floats.has(name));
    if (node.opType === 'DequantizeLinear') {
      for (const name of node.outputs) floats.add(name);
    } else if (takesFloat && REORDERINGS.has(node.opType)) {
      for (const name of node.outputs) {
        floats.add(name);
        if (node.inputs.some((input) => fromInput.has(input))) fromInput.add(name);
      }
    } else if (takesFloat) {
      const isFirst = node.opType === 'QuantizeLinear' && fromInput.has(node.inputs[0]);
      if (!isFirst) found.push(nodeLabel(asInFile(node)));
      if (node.opType !== 'QuantizeLinear') for (const name of node.outputs) floats.add(name);
    }
  }
  return found;
}

/** A node without the activation function that onnxruntime joined to it in float32. */
function asInFile(node: OnnxNode): OnnxNode {
  const [joined, opType] = /^Fused(Conv|Gemm|MatMul)$/.exec(node.opType) ?? [];
  const name = node.name.replace(/^fused /, '');
  return joined === undefined ? node : { ...node, name, domain: '', opType };
}
