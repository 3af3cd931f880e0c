import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../core/index.js';
import { type ImportGraph, typeOf } from '../../models/graph/graph.js';
import { prepareGraph } from '../../models/graph/prepare/prepare.js';
import {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from '../../models/index.js';
import { int, int64s, ints, tensor } from './prepared.js';

function node(
  opType: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode {
  const names = typeof outputs === 'string' ? [outputs] : outputs;
  return {
    name: names[0],
    opType,
    domain: '',
    inputs,
    outputs: names,
    attributes: new Map(Object.entries(attributes)),
  };
}

const value = (name: string, ...dims: (number | string)[]): OnnxValue => ({
  name,
  elementType: 'float32',
  dims,
});

function model(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[],
  inputs: readonly OnnxValue[],
  outputs: readonly OnnxValue[],
): OnnxModel {
  const graph = { name: 'graph', nodes, initializers, inputs, outputs };
  const opsets = new Map([['', 13]]);
  return { irVersion: 8, producer: 'test', opsets, metadata: new Map(), graph };
}

/** The prepared graph as a model again. */
function rebuilt({ inputs, outputs, nodes, constants, types }: ImportGraph): OnnxModel {
  const taken = new Set(nodes.flatMap((one) => one.inputs));
  return model(
    nodes,
    [...constants.values()].filter(({ name }) => taken.has(name)),
    inputs.map((input) => ({ ...input, dims: types.get(input.name)?.dims })),
    outputs.map((output) => ({ name: output.value, elementType: undefined, dims: undefined })),
  );
}

async function run(given: OnnxModel, feeds: Readonly<Record<string, Tensor>>): Promise<number[]> {
  const session = await InferenceSession.create(encodeOnnx(given), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  });
  const results = await session.run(feeds);
  await session.release();
  return Array.from(results[session.outputNames[0]].data as Float32Array);
}

function refusal(...given: Parameters<typeof prepareGraph>): string {
  try {
    prepareGraph(...given);
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const weights = [0.5, -1, 2, 3, -0.25, 7];
const relu = (...dims: (number | string)[]) =>
  model([node('Relu', ['x'], 'y')], [], [value('x', ...dims)], [value('y', ...dims)]);

describe('one sample', () => {
  test('the batch is 1, other open sizes are given', () => {
    const inputShapes = new Map([['x', [1, 3, 8, 4]]]);
    const graph = prepareGraph(relu('n', 3, 'h', 'w'), 'net', { inputShapes });
    expect(typeOf(graph, 'y')).toEqual({ elementType: 'float32', dims: [1, 3, 8, 4] });
    expect(typeOf(prepareGraph(relu(-1, 3, 2), 'net'), 'y').dims).toEqual([1, 3, 2]);
  });

  test('a size that stays open is asked for', () => {
    expect(refusal(relu('n', 3, 'h', ''), 'net')).toBe(
      'net: input "x" has shape [n, 3, h, ?], of which sizes are open; give them: --input-shape x=1,3,SIZE,SIZE',
    );
    const unranked = model([], [], [{ ...value('x'), dims: undefined }], [value('x')]);
    expect(refusal(unranked, 'net')).toBe(
      'net: input "x" has no stated shape; give it: --input-shape x=1,…',
    );
  });

  test('a shape that does not fit is refused', () => {
    const given = (...shape: number[]) =>
      refusal(relu('n', 3, 'h'), 'net', { inputShapes: new Map([['x', shape]]) });
    expect(given(1, 4, 8)).toBe(
      'net: --input-shape x=1,4,8 does not fit the input, which has shape [n, 3, h]',
    );
    expect(given(1, 3)).toMatch(/does not fit/);
    expect(given(2, 3, 8)).toMatch(/must begin with 1/);
    expect(given(1, 3, 0)).toMatch(/must be whole numbers from 1 on/);
    expect(refusal(relu('n'), 'net', { inputShapes: new Map([['z', [1]]]) })).toBe(
      'net: --input-shape names "z", but the inputs are "x"',
    );
  });

  test('one symbol is one size', () => {
    const sum = model(
      [node('Add', ['a', 'b'], 'y')],
      [],
      [value('a', 'n', 't'), value('b', 'n', 't')],
      [value('y', 'n', 't')],
    );
    const graph = prepareGraph(sum, 'net', { inputShapes: new Map([['a', [1, 5]]]) });
    expect(typeOf(graph, 'b').dims).toEqual([1, 5]);
    const inputShapes = new Map([
      ['a', [1, 5]],
      ['b', [1, 6]],
    ]);
    expect(refusal(sum, 'net', { inputShapes })).toBe(
      'net: --input-shape b=1,6 makes the size "t" 6, which is 5 elsewhere',
    );
  });

  test('a file for a fixed batch is taken apart where it computes its samples apart', async () => {
    const nodes = [node('Reshape', ['x', 'shape'], 'flat'), node('MatMul', ['flat', 'w'], 'y')];
    const constants = [int64s('shape', 4, -1), tensor('w', 'float32', [6, 2], weights)];
    const fixed = model(nodes, constants, [value('x', 4, 2, 3)], [value('y', 4, 2)]);
    const graph = prepareGraph(fixed, 'net');
    expect(typeOf(graph, 'y').dims).toEqual([1, 2]);
    const data = Float32Array.from({ length: 24 }, (_, index) => Math.sin(index));
    const all = await run(fixed, { x: new Tensor('float32', data, [4, 2, 3]) });
    const one = await run(rebuilt(graph), {
      x: new Tensor('float32', data.slice(6, 12), [1, 2, 3]),
    });
    expect(one).toEqual(all.slice(2, 4));

    const mixed = model(
      [node('Reshape', ['x', 'shape'], 'y')],
      [int64s('shape', 2, -1)],
      [value('x', 4, 6)],
      [value('y', 2, 12)],
    );
    expect(refusal(mixed, 'net')).toBe(
      'net is written for 4 samples at once, and for one its output "y" would be [2, 3], not [2, 12]; export it with a batch of 1 or an open batch',
    );
  });
});

describe('nodes', () => {
  test('that no output depends on are gone, as are those that pass a value on', () => {
    const graph = prepareGraph(
      model(
        [
          node('Identity', ['x'], 'same'),
          node('Cast', ['same'], 'cast', { to: int(1) }),
          node('Dropout', ['cast'], ['kept', '']),
          node('Relu', ['kept'], 'y'),
          node('Exp', ['kept'], 'unused'),
          node('Identity', ['y'], 'z'),
        ],
        [],
        [value('x', 1, 3)],
        [value('z', 1, 3), value('y', 1, 3)],
      ),
      'net',
    );
    expect(graph.nodes).toEqual([node('Relu', ['x'], 'y')]);
    expect(graph.outputs).toEqual([
      { value: 'y', name: 'z' },
      { value: 'y', name: 'y' },
    ]);
    expect([graph.uses.get('x'), graph.uses.get('y')]).toEqual([1, 2]);
    expect(graph.consumers.get('x')).toEqual(graph.nodes);
    expect(graph.producers.get('y')).toBe(graph.nodes[0]);
  });

  test('move quantised weights before they are dequantised', async () => {
    const scales = tensor('s', 'float32', [2], [0.5, 0.25]);
    const zeros = tensor('z', 'int8', [2], [1, -2]);
    const axis = { axis: int(0) };
    const stored = tensor('w', 'int8', [2, 3], [1, -7, 30, 4, 90, -6]);
    const real = tensor('f', 'float32', [2, 3], weights);
    const input = { x: new Tensor('float32', Float32Array.of(0.5, -1, 2), [1, 3]) };
    const transposed = node('Transpose', ['d'], 't', { perm: ints(1, 0) });
    const product = node('MatMul', ['x', 't'], 'y');
    const chains = [
      { before: [node('DequantizeLinear', ['w', 's', 'z'], 'd', axis)], weight: stored },
      {
        before: [
          node('QuantizeLinear', ['f', 's', 'z'], 'q', axis),
          node('DequantizeLinear', ['q', 's', 'z'], 'd', axis),
        ],
        weight: real,
      },
    ];
    for (const { before, weight } of chains) {
      const given = model(
        [...before, transposed, product],
        [scales, zeros, weight],
        [value('x', 'n', 3)],
        [value('y', 'n', 2)],
      );
      const graph = prepareGraph(given, 'net');
      expect(graph.nodes.map(({ opType }) => opType)).toEqual([
        ...before.map(({ opType }) => opType),
        'MatMul',
      ]);
      expect(await run(rebuilt(graph), input)).toEqual(await run(given, input));
    }
  });

  test('whose output nobody knows take the type that the file states', () => {
    const custom = { ...node('Custom', ['x'], 'c'), domain: 'some.domain' };
    const nodes = [custom, node('Relu', ['c'], 'y')];
    const given = model(nodes, [], [value('x', 'n', 3)], [value('y', 'n', 7)]);
    const valueInfo = [value('c', 'n', 7)];
    const graph = prepareGraph({ ...given, graph: { ...given.graph, valueInfo } }, 'net');
    expect(typeOf(graph, 'y').dims).toEqual([1, 7]);
    expect(() => typeOf(prepareGraph(given, 'net'), 'c')).toThrow(
      'net: node "c" (some.domain.Custom) has an output whose shape Bitcell cannot tell; write it into the file',
    );
  });
});

test('initialisers that are listed as inputs are none', () => {
  const w = tensor('w', 'float32', [3], weights);
  const given = model(
    [node('Add', ['x', 'w'], 'y')],
    [w],
    [value('x', 'n', 3), value('w', 3)],
    [value('y', 'n', 3)],
  );
  expect(prepareGraph({ ...given, irVersion: 3 }, 'net').inputs).toEqual([value('x', 'n', 3)]);
});

test('constants are folded within bounds, beyond which nodes stay', () => {
  const sizes = [2 ** 12, 2 ** 12];
  const count = 100;
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const given = model(
    [
      ...names.map((name) => node('ConstantOfShape', ['shape'], name)),
      node('Sum', ['x', ...names], 'y'),
      node('Expand', ['x', 'huge'], 'z'),
    ],
    [int64s('shape', ...sizes), int64s('huge', 2 ** 40, 2 ** 40)],
    [value('x', 'n', 1)],
    [value('y', 'n', 'm'), value('z', 'n', 'm')],
  );
  const graph = prepareGraph(given, 'net');
  const kept = graph.nodes.filter(({ opType }) => opType === 'ConstantOfShape').length;
  expect(kept).toBeGreaterThan(count - 4);
  expect(typeOf(graph, 'y').dims).toEqual(sizes);
  expect(() => typeOf(graph, 'z')).toThrow('net: node "z" (Expand) has an impossible output of ');
});
