import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  weightCount,
} from '../../core/index.js';
import type { Int8ConvolutionSpecification } from '../../kernels/index.js';
import type { OnnxTensor } from '../../models/index.js';
import { convolutionShape } from './arbitraries.js';
import {
  channelsFirst,
  dequantize,
  type Graph,
  type Level,
  node,
  quantizationConstants,
  quantizationNames,
  runGraph,
} from './onnx-graph.js';
import { storedValues } from './quantization-arbitraries.js';
import { reference } from './support.js';

/**
 * Integer products of every combination of element types, on the int8 kernel: int8 activations are
 * stored with 128 added, uint8 weights with 128 subtracted, and their zero points with them.
 */
interface Product {
  readonly shape: ConvolutionShape;
  readonly images: number;
  readonly signed: boolean;
  readonly signedWeights: boolean;
  readonly perChannel: boolean;
  readonly input: Uint8Array;
  /** Stored like activations: 128 added to int8 weights. */
  readonly weights: Uint8Array;
  readonly weightZeroPoints: readonly number[];
  readonly scales: Float32Array;
  readonly bias: Int32Array;
  readonly inputScale: number;
  readonly inputZeroPoint: number;
  readonly outputScale: number;
  readonly outputZeroPoint: number;
}

const byte = fc.nat({ max: 255 });
const scale = fc.float({ min: Math.fround(1e-3), max: 1, noNaN: true });
const biases = fc.oneof(
  { arbitrary: fc.integer({ min: -20_000, max: 20_000 }), weight: 20 },
  fc.integer({ min: 2 ** 31 - 9, max: 2 ** 31 - 1 }),
  fc.integer({ min: -(2 ** 31), max: -(2 ** 31) + 9 }),
);

function products(shapes: fc.Arbitrary<ConvolutionShape>): fc.Arbitrary<Product> {
  return fc
    .record({ shape: shapes, images: fc.integer({ min: 1, max: 4 }), perChannel: fc.boolean() })
    .chain(({ shape, images, perChannel }) => {
      const outputs = { minLength: shape.output.channels, maxLength: shape.output.channels };
      const channels = perChannel ? outputs : { minLength: 1, maxLength: 1 };
      return fc
        .record({
          shape: fc.constant(shape),
          images: fc.constant(images),
          perChannel: fc.constant(perChannel),
          signed: fc.boolean(),
          signedWeights: fc.boolean(),
          input: storedValues(images * featureCount(shape.input)),
          weights: storedValues(weightCount(shape)),
          weightZeroPoints: fc.array(byte, channels),
          scales: fc.array(scale, channels).map((values) => Float32Array.from(values)),
          bias: fc.array(biases, outputs).map((values) => Int32Array.from(values)),
          inputScale: scale,
          inputZeroPoint: byte,
          outputZeroPoint: byte,
          steps: fc.oneof(
            fc.constantFrom(64, 1024, 16_384),
            fc.double({ min: 1, max: 1e5, noNaN: true }),
          ),
        })
        .map(({ steps, ...product }) => ({
          ...product,
          // So many steps of the accumulator make one of the output.
          outputScale: Math.fround(product.inputScale * product.scales[0] * steps),
        }));
    });
}

function specification(product: Product, bias: Int32Array): Int8ConvolutionSpecification {
  const { shape, scales, inputScale, outputScale, perChannel } = product;
  const { channels } = shape.output;
  const ofChannel = (channel: number) => (perChannel ? channel : 0);
  return {
    shape,
    inputZeroPoint: product.inputZeroPoint,
    outputZeroPoint: product.outputZeroPoint,
    weights: Int8Array.from(product.weights, (value) => value - 128),
    weightZeroPoints: Int32Array.from(
      { length: channels },
      (_, channel) => product.weightZeroPoints[ofChannel(channel)] - 128,
    ),
    bias,
    multipliers: Float32Array.from(
      { length: channels },
      (_, channel) => Math.fround(inputScale * scales[ofChannel(channel)]) / outputScale,
    ),
    low: 0,
    high: 255,
  };
}

function run(product: Product, bias: Int32Array): { output: Uint8Array; accumulators: number[] } {
  const { shape, images } = product;
  const output = new Uint8Array(images * featureCount(shape.output));
  const accumulators: number[] = [];
  const kernel = reference.int8Convolution(specification(product, bias));
  kernel.run(product.input, output, images, (block, _first, rows, stride) => {
    for (let row = 0; row < rows; row++) {
      accumulators.push(...block.subarray(row * stride, row * stride + shape.output.channels));
    }
  });
  return { output, accumulators };
}

function weightTensor(product: Product, dims: readonly number[], weights: Uint8Array): OnnxTensor {
  return product.signedWeights
    ? { name: 'w', elementType: 'int8', dims, data: Int8Array.from(weights, (v) => v - 128) }
    : { name: 'w', elementType: 'uint8', dims, data: weights };
}

function constants(product: Product, weights: OnnxTensor): OnnxTensor[] {
  const { signed, signedWeights, perChannel, scales, weightZeroPoints, bias } = product;
  const dims = perChannel ? [scales.length] : [];
  const zeroPoints = { name: 'w_zero', dims };
  return [
    weights,
    { name: 'w_scale', elementType: 'float32', dims, data: scales },
    signedWeights
      ? {
          ...zeroPoints,
          elementType: 'int8',
          data: Int8Array.from(weightZeroPoints, (v) => v - 128),
        }
      : { ...zeroPoints, elementType: 'uint8', data: Uint8Array.from(weightZeroPoints) },
    { name: 'bias', elementType: 'int32', dims: [bias.length], data: bias },
    ...quantizationConstants('x', {
      scale: product.inputScale,
      zeroPoint: product.inputZeroPoint,
      signed,
    }),
    ...quantizationConstants('y', {
      scale: product.outputScale,
      zeroPoint: product.outputZeroPoint,
      signed,
    }),
  ];
}

/** inputs × outputs, as Gemm and MatMul have their weights. */
function transposed({ shape, weights }: Product): Uint8Array {
  const [inputs, outputs] = [shape.input.channels, shape.output.channels];
  return weights.map(
    (_, index) => weights[(index % outputs) * inputs + Math.floor(index / outputs)],
  );
}

function matrixGraph(product: Product, nodes: Graph['nodes'], type?: 'int32' | 'float32'): Graph {
  const { shape, images, signed, input } = product;
  const [inputs, outputs] = [shape.input.channels, shape.output.channels];
  return {
    nodes,
    constants: constants(product, weightTensor(product, [inputs, outputs], transposed(product))),
    inputs: [{ name: 'x', signed, dims: [images, inputs], values: input }],
    output: { name: 'y', type: type ?? (signed ? 'int8' : 'uint8'), rank: 2 },
  };
}

const matrix = products(
  fc
    .record({ inputs: fc.integer({ min: 1, max: 70 }), outputs: fc.integer({ min: 1, max: 20 }) })
    .map(({ inputs, outputs }) => fullyConnectedShape(inputs, outputs)),
);
/** onnxruntime has no kernels for int8 activations with uint8 weights, except MatMulInteger. */
const supported = ({ signed, signedWeights }: Product) => signedWeights || !signed;
const operands = ['x', ...quantizationNames('x'), 'w', ...quantizationNames('w')];
const levels: readonly Level[] = ['disabled', 'all'];

describe('uint8 and int8 activations and weights equal onnxruntime', () => {
  test('QLinearMatMul, which has no bias', async () => {
    const nodes = [node('QLinearMatMul', [...operands, ...quantizationNames('y')], 'y')];
    await fc.assert(
      fc.asyncProperty(matrix.filter(supported), async (product) => {
        const { output } = run(product, new Int32Array(product.shape.output.channels));
        for (const level of levels) {
          expect(await runGraph(matrixGraph(product, nodes), level)).toEqual([...output]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('QGemm', async () => {
    const inputs = [...operands, 'bias', ...quantizationNames('y')];
    const nodes = [node('QGemm', inputs, 'y')];
    await fc.assert(
      fc.asyncProperty(matrix.filter(supported), async (product) => {
        const { output } = run(product, product.bias);
        for (const level of levels) {
          expect(await runGraph(matrixGraph(product, nodes), level)).toEqual([...output]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('QGemm and a fused MatMul with real outputs', async () => {
    const gemm = [node('QGemm', [...operands, 'bias'], 'y')];
    const matMul = [
      dequantize('x'),
      node('DequantizeLinear', ['w', ...quantizationNames('w')], 'w_real', {
        axis: { type: 'int', value: 1 },
      }),
      node('MatMul', ['x_real', 'w_real'], 'y'),
    ];
    // onnxruntime leaves a MatMul of int8 activations in float32.
    const fused = matrix.filter(({ signed }) => !signed);
    await fc.assert(
      fc.asyncProperty(fused, async (product) => {
        const { scales, inputScale, perChannel, shape, bias } = product;
        const real = (accumulator: number, index: number) => {
          const scale = scales[perChannel ? index % shape.output.channels : 0];
          return Math.fround(Math.fround(accumulator) * Math.fround(inputScale * scale));
        };
        const graphs = [
          { nodes: gemm, bias },
          { nodes: matMul, bias: new Int32Array(bias.length) },
        ];
        for (const { nodes, bias } of graphs) {
          const { accumulators } = run(product, bias);
          const reals = await runGraph(matrixGraph(product, nodes, 'float32'), 'all');
          expect(reals).toEqual(accumulators.map(real));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('MatMulInteger, in any combination of types', async () => {
    const nodes = [node('MatMulInteger', ['x', 'w', 'x_zero', 'w_zero'], 'y')];
    await fc.assert(
      fc.asyncProperty(matrix, async (product) => {
        const { accumulators } = run(product, new Int32Array(product.shape.output.channels));
        for (const level of levels) {
          expect(await runGraph(matrixGraph(product, nodes, 'int32'), level)).toEqual(accumulators);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('QLinearConv: groups, dilations, strides, padding', async () => {
    const small = convolutionShape.filter((shape) => weightCount(shape) < 3000);
    await fc.assert(
      fc.asyncProperty(products(small).filter(supported), async (product) => {
        const { shape, images, signed, input } = product;
        const { output } = run(product, product.bias);
        const nodes = [
          node('QLinearConv', [...operands, ...quantizationNames('y'), 'bias'], 'y', {
            group: { type: 'int', value: shape.groups },
            strides: { type: 'ints', value: shape.strides },
            pads: { type: 'ints', value: shape.pads },
            dilations: { type: 'ints', value: shape.dilations },
          }),
        ];
        const { channels, height, width } = shape.input;
        const filter = [shape.output.channels, channels / shape.groups, ...shape.kernel];
        const graph: Graph = {
          nodes,
          constants: constants(product, weightTensor(product, filter, product.weights)),
          inputs: [
            {
              name: 'x',
              signed,
              dims: [images, channels, height, width],
              values: channelsFirst(input, shape.input),
            },
          ],
          output: { name: 'y', type: signed ? 'int8' : 'uint8', rank: 4 },
        };
        const expected = [...channelsFirst(output, shape.output)];
        for (const level of levels) expect(await runGraph(graph, level)).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });
});
