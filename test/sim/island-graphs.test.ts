import { fc, test as property } from '@fast-check/vitest';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { prepareGraph } from '../../models/graph/prepare/prepare.js';
import { encodeOnnx, type OnnxModel, type OnnxNode } from '../../models/index.js';
import { extractIsland, takenBy } from '../../models/islands/extract.js';
import { heldWeights } from '../../models/islands/held-weights.js';
import { scheduleIslands } from '../../models/islands/schedule.js';
import { createIslandRunner } from '../../sim/index.js';
import { constant, int, ints, node, numbers, rowMajor, text } from './islands.js';

const f32 = (name: string, ...dims: number[]) => ({ name, elementType: 'float32', dims }) as const;

/** A network with skips, two branches and two outputs, most of whose operators could be simulated or not. */
const MODEL: OnnxModel = {
  irVersion: 8,
  producer: '',
  opsets: new Map([['', 13]]),
  metadata: new Map(),
  graph: {
    name: 'test',
    nodes: [
      node('Conv', ['x', 'w1', 'b1'], ['c1'], { pads: ints(1, 1, 1, 1) }),
      node('Relu', ['c1'], ['r1']),
      node('MaxPool', ['r1'], ['p'], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
      node('Conv', ['p', 'w2'], ['c2'], { pads: ints(1, 1, 1, 1) }),
      node('ConvTranspose', ['c2', 'w3'], ['up'], { strides: ints(2, 2) }),
      node('Concat', ['up', 'r1'], ['skip'], { axis: int(1) }),
      node('ReduceMax', ['p'], ['one'], { axes: ints(1) }),
      node('Resize', ['one', '', 'scales'], ['near'], { mode: text('nearest') }),
      node('Add', ['skip', 'near'], ['sum']),
      node('Sigmoid', ['sum'], ['map']),
      node('ReduceMean', ['map'], ['mean'], { axes: ints(2, 3), keepdims: int(0) }),
      node('Gemm', ['mean', 'w4'], ['logits']),
      node('Softmax', ['logits'], ['y']),
    ],
    initializers: [
      ...[constant('w1', [3, 2, 3, 3]), constant('b1', [3]), constant('w2', [4, 3, 3, 3])],
      ...[constant('w3', [4, 3, 2, 2]), constant('w4', [6, 5])],
      constant('scales', [4], Float32Array.of(1, 1, 2, 2)),
    ],
    inputs: [f32('x', 1, 2, 6, 6)],
    outputs: [f32('y', 1, 5), f32('map', 1, 6, 6, 6)],
  },
};
const GRAPH = prepareGraph(MODEL, 'net.onnx');
const X = numbers(72);

async function whole(): Promise<Record<string, Float32Array>> {
  const session = await InferenceSession.create(encodeOnnx(MODEL), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
  });
  const found = await session.run({ x: new Tensor('float32', X, [1, 2, 6, 6]) });
  return Object.fromEntries(['y', 'map'].map((name) => [name, found[name].data as Float32Array]));
}

/** Runs some nodes as an island on values that are known, and adds what it makes. */
function runNodes(nodes: readonly OnnxNode[], values: Map<string, Float32Array>): void {
  const { model, feeds, fetches } = extractIsland(GRAPH, nodes, 'float32');
  const inputs = feeds.map(({ name, weights }) => {
    const found = (weights?.stored.weights as Float32Array | undefined) ?? values.get(name);
    if (!found) throw new Error(`${name} is not made yet`);
    return { ...rowMajor(found, found.length), constant: weights !== undefined };
  });
  const lengths = fetches.map(({ dims }) => dims.reduce((product, size) => product * size, 1));
  const output = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
  const island = {
    ...{ name: 'island', model, fetches, reasons: [] },
    feeds: feeds.map((feed) => ({ ...feed, layout: 'row-major' as const })),
  };
  createIslandRunner(island, { source: 'net.onnx', inputs, output })(1);
  let start = 0;
  for (const [index, { name }] of fetches.entries()) {
    values.set(name, output.slice(start, start + lengths[index]));
    start += lengths[index];
  }
}

property.prop([fc.subarray([...GRAPH.nodes])])(
  'a graph in islands and single nodes computes what it computes as a whole',
  async (unsimulated) => {
    const { steps, reasons } = scheduleIslands(
      GRAPH.nodes,
      takenBy,
      new Map(unsimulated.map((one) => [one, 'drawn'])),
      (one) => heldWeights(GRAPH, one).length === 0,
    );
    const products = GRAPH.nodes.filter(({ opType }) => /^Conv|^Gemm/.test(opType));
    for (const product of products) {
      expect(reasons.has(product)).toBe(unsimulated.includes(product));
    }
    const values = new Map([['x', X]]);
    for (const step of steps) runNodes(step.kind === 'node' ? [step.node] : step.nodes, values);
    const expected = await whole();
    for (const name of ['y', 'map']) {
      const found = values.get(name) ?? new Float32Array();
      expect(found.length).toBe(expected[name].length);
      // Weights are inputs here, and constants there, whose products onnxruntime may sum in another order.
      for (const [index, value] of found.entries()) {
        expect(Math.abs(value - expected[name][index])).toBeLessThan(1e-5);
      }
    }
  },
);
