import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { featureCount } from '../../core/index.js';
import {
  type ElementType,
  elementArray,
  encodeOnnx,
  type Layout,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../../models/index.js';

/** A value of a small graph. */
export interface Value {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly number[];
}

/** A node of a small graph, named after its first output. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode {
  return {
    name: outputs[0],
    opType,
    domain: '',
    inputs,
    outputs,
    attributes: new Map(Object.entries(attributes)),
  };
}

export function int(value: number): OnnxAttribute {
  return { type: 'int', value };
}

export function ints(...value: number[]): OnnxAttribute {
  return { type: 'ints', value };
}

export function text(value: string): OnnxAttribute {
  return { type: 'string', value };
}

/** Numbers around zero that are the same in every run. */
export function numbers(length: number, spread = 2): Float32Array {
  return Float32Array.from(
    { length },
    (_, index) => (((index + 1) * 0.618034) % 1) * spread - spread / 2,
  );
}

export function constant(name: string, dims: readonly number[], data?: Float32Array): OnnxTensor {
  const length = dims.reduce((product, size) => product * size, 1);
  return { name, dims, elementType: 'float32', data: data ?? numbers(length) };
}

/** A graph as the layer of a network has it, all of whose feeds lie in the file's order. */
export function islandOf(
  nodes: readonly OnnxNode[],
  inputs: readonly Value[],
  outputs: readonly Value[],
  initializers: readonly OnnxTensor[] = [],
  opset = 17,
) {
  const model = encodeOnnx({
    irVersion: 8,
    producer: '',
    opsets: new Map([['', opset]]),
    metadata: new Map(),
    graph: { name: 'test', nodes, initializers, inputs, outputs },
  });
  return {
    model,
    feeds: inputs.map((value) => ({ ...value, layout: 'row-major' as Layout })),
    fetches: outputs,
    reasons: nodes.map(({ name }) => ({ node: name, reason: 'no reader' })),
  };
}

/** What onnxruntime's public interface computes of the same file, sample by sample, in the order of the fetches. */
export async function reference(
  { model, feeds, fetches }: ReturnType<typeof islandOf>,
  samples: readonly (readonly Float32Array[])[],
): Promise<Float32Array> {
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const parts: number[] = [];
  for (const inputs of samples) {
    const given = feeds.map(({ name, elementType, dims }, index) => {
      const data = elementArray(elementType, inputs[index].length);
      for (const [at, value] of inputs[index].entries()) {
        data[at] = data instanceof BigInt64Array ? BigInt(value) : value;
      }
      return [name, new Tensor(elementType as 'float32', data as Float32Array, dims)] as const;
    });
    const found = await session.run(Object.fromEntries(given));
    for (const { name } of fetches) {
      parts.push(...Array.from(found[name].data as Float32Array, Number));
    }
  }
  await session.release();
  return Float32Array.from(parts);
}

/** A tensor as an island takes it: images of a value with so many elements, row-major. */
export function rowMajor(values: Float32Array | Uint8Array, length: number) {
  return { values, shape: { channels: length, height: 1, width: 1 }, constant: false };
}

/** Images of channels × positions values, as they are stored: with the channels innermost. */
export function channelsLast(
  values: Float32Array,
  shape: { channels: number; height: number; width: number },
): Float32Array {
  const positions = shape.height * shape.width;
  const length = featureCount(shape);
  return Float32Array.from(values, (_, index) => {
    const [image, place] = [Math.floor(index / length), index % length];
    const [position, channel] = [Math.floor(place / shape.channels), place % shape.channels];
    return values[image * length + channel * positions + position];
  });
}

/** Writes a network for CIFAR-10's images with a transposed convolution within; returns its file. */
export function writeIslandNetwork(folder: string): string {
  const file = join(folder, 'islands.onnx');
  const f32 = (name: string, dims: readonly (number | string)[]) =>
    ({ name, elementType: 'float32', dims }) as const;
  const bytes = encodeOnnx({
    irVersion: 8,
    producer: '',
    opsets: new Map([['', 13]]),
    metadata: new Map(),
    graph: {
      name: 'islands',
      nodes: [
        node('Conv', ['x', 'conv.weight'], ['c'], { strides: ints(4, 4) }),
        node('Relu', ['c'], ['r']),
        node('ConvTranspose', ['r', 'up.weight'], ['u'], { strides: ints(2, 2) }),
        node('GlobalAveragePool', ['u'], ['g']),
        node('Flatten', ['g'], ['f'], { axis: int(1) }),
        node('Gemm', ['f', 'fc.weight'], ['y']),
      ],
      initializers: [
        ...[constant('conv.weight', [6, 3, 4, 4]), constant('up.weight', [6, 5, 2, 2])],
        constant('fc.weight', [5, 10]),
      ],
      inputs: [f32('x', ['batch', 3, 32, 32])],
      outputs: [f32('y', ['batch', 10])],
    },
  });
  writeFileSync(file, bytes);
  return file;
}
