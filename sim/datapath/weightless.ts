import { featureCount, InputError } from '../../core/index.js';
import {
  addFloat32,
  addWithTable,
  affineFloat32,
  applyTable,
  averagePool,
  averagePoolFloat32,
  clipFloat32,
  clipTable,
  concatChannels,
  concatFloat32,
  flatten,
  globalAveragePool,
  globalAveragePoolFloat32,
  type KernelBackend,
  leakyReluFloat32,
  leakyReluTable,
  quantizedAddTable,
  realAddTable,
  realAveragePool,
  requantizationTable,
  wholeWindow,
} from '../../kernels/index.js';
import {
  type Float32Layer,
  type Float32Network,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  isMoving,
  type MovingLayer,
  type Network,
  type Quantization,
  type WeightedLayer,
} from '../../models/index.js';

type Weightless<L> = Exclude<L, WeightedLayer>;

/** Computes one layer for so many images, from its input tensors to its output tensor. */
export type Operation = (images: number) => void;

/** The quantisation of a tensor of a quantised network. */
export function quantizationOf(network: Int8Network, tensor: number): Quantization {
  const { name, quantization } = network.tensors[tensor];
  if (quantization) return quantization;
  throw new InputError(`${network.name}: tensor "${name}" is not quantised`);
}

/** The operation of a layer that moves values, of either format. */
function movingOperation(
  network: Network,
  layer: MovingLayer,
  tensors: readonly (Uint8Array | Float32Array)[],
  backend: KernelBackend,
): Operation {
  const input = tensors[layer.input];
  const output = tensors[layer.output];
  if (layer.kind === 'max-pool') {
    return (images) => backend.maxPool(layer.shape, input, output, images);
  }
  const { shape } = network.tensors[layer.input];
  return (images) => flatten(shape, input, output, images);
}

/** The operation of an int8 layer without weights; functions of one or two values become tables. */
export function int8Operation(
  network: Int8Network,
  layer: Weightless<Int8Layer>,
  tensors: readonly Uint8Array[],
  backend: KernelBackend,
): Operation {
  if (isMoving(layer)) return movingOperation(network, layer, tensors, backend);
  const inputs = inputsOf(layer).map((tensor) => tensors[tensor]);
  const quantizations = inputsOf(layer).map((tensor) => quantizationOf(network, tensor));
  const shapes = inputsOf(layer).map((tensor) => network.tensors[tensor].shape);
  const [x] = inputs;
  const [xQuantization] = quantizations;
  const [shape] = shapes;
  const output = tensors[layer.output];
  const yQuantization = quantizationOf(network, layer.output);
  const length = featureCount(shape);

  function byTable(table: Uint8Array): Operation {
    return (images) => applyTable(table, x.subarray(0, images * length), output);
  }

  switch (layer.kind) {
    case 'add': {
      const [a, b] = quantizations;
      const table = layer.inFloat32
        ? realAddTable(a, b, yQuantization)
        : quantizedAddTable({ a, b, output: yQuantization });
      if (layer.relu) {
        for (const [index, sum] of table.entries()) {
          table[index] = Math.max(sum, yQuantization.zeroPoint);
        }
      }
      return (images) => addWithTable(table, x.subarray(0, images * length), inputs[1], output);
    }
    case 'concat': {
      const parts = inputs.map((values, index) => ({
        values,
        channels: shapes[index].channels,
        table: requantizationTable(quantizations[index], yQuantization),
      }));
      return (images) => concatChannels(parts, output, images * shape.height * shape.width);
    }
    case 'average-pool': {
      const specification = {
        shape: layer.shape,
        countIncludePad: layer.countIncludePad,
        input: xQuantization,
        output: yQuantization,
      };
      const order = layer.inFloat32;
      return order
        ? (images) => realAveragePool(specification, order, x, output, images)
        : (images) => averagePool(specification, x, output, images);
    }
    case 'global-average-pool': {
      const pair = { input: xQuantization, output: yQuantization };
      const order = layer.inFloat32;
      if (order) {
        const whole = { shape: wholeWindow(shape), countIncludePad: false, ...pair };
        return (images) => realAveragePool(whole, order, x, output, images);
      }
      return (images) => globalAveragePool(shape, pair, x, output, images);
    }
    case 'leaky-relu':
      return byTable(leakyReluTable(xQuantization, yQuantization, layer.alpha));
    case 'clip':
      return byTable(clipTable(xQuantization, yQuantization, layer.low, layer.high));
  }
}

/** The operation of a float32 layer without weights. */
export function float32Operation(
  network: Float32Network,
  layer: Weightless<Float32Layer>,
  tensors: readonly Float32Array[],
  backend: KernelBackend,
): Operation {
  if (isMoving(layer)) return movingOperation(network, layer, tensors, backend);
  const inputs = inputsOf(layer).map((tensor) => tensors[tensor]);
  const shapes = inputsOf(layer).map((tensor) => network.tensors[tensor].shape);
  const [x] = inputs;
  const [shape] = shapes;
  const output = tensors[layer.output];
  const length = featureCount(shape);
  const values = (images: number) => x.subarray(0, images * length);
  switch (layer.kind) {
    case 'add':
      return (images) => addFloat32(values(images), inputs[1], output, layer.relu);
    case 'concat': {
      const parts = inputs.map((part, index) => ({
        values: part,
        channels: shapes[index].channels,
      }));
      return (images) => concatFloat32(parts, output, images * shape.height * shape.width);
    }
    case 'average-pool':
      return (images) => averagePoolFloat32(layer.shape, layer.countIncludePad, x, output, images);
    case 'global-average-pool':
      return (images) => globalAveragePoolFloat32(shape, x, output, images);
    case 'leaky-relu':
      return (images) => leakyReluFloat32(values(images), output, layer.alpha);
    case 'clip':
      return (images) => clipFloat32(values(images), output, layer.low, layer.high);
    case 'affine':
      return (images) => affineFloat32(values(images), output, layer.factors, layer.offsets);
  }
}
