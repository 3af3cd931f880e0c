import { ModelError } from '../../core/index.js';
import {
  holdsMoreThan,
  type Int8ArrayLayer,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  type Quantization,
  type Tensor,
} from '../network.js';
import type { OnnxAttribute } from '../onnx/index.js';
import {
  createGraphBuilder,
  type GraphBuilder,
  type GraphOutput,
  MICROSOFT_DOMAIN,
} from './graph-builder.js';
import { createWeightConstants } from './weight-constants.js';

/** How a quantised network is written. */
export interface QuantizedWriteOptions {
  /** Make every layer's quantised output a graph output, too, named `quantizedName(tensor)`. */
  readonly exposeLayers?: boolean;
}

/** Name of the quantised value of a tensor in the ONNX files of quantised networks. */
export function quantizedName(tensor: Tensor): string {
  return `${tensor.name}_quantized`;
}

/** The dequantised output, which has the output tensor's name, and what the options ask for. */
export function graphOutputs(
  { tensors, output, layers }: Int8Network,
  { exposeLayers }: QuantizedWriteOptions,
): GraphOutput[] {
  const result = { name: tensors[output].name, tensor: output, elementType: 'float32' } as const;
  if (!exposeLayers) return [result];
  const exposed = layers.map((layer) => ({
    name: quantizedName(tensors[layer.output]),
    tensor: layer.output,
    elementType: tensors[layer.output].quantization?.signed
      ? ('int8' as const)
      : ('uint8' as const),
  }));
  return [result, ...exposed];
}

/** Names of the constants that hold a tensor's scale and zero point. */
export interface QuantizationNames {
  readonly scale: string;
  readonly zeroPoint: string;
}

/** A graph builder with what every form of a quantised network has. */
export interface QuantizedGraph {
  readonly builder: GraphBuilder;
  quantization(tensor: number): Quantization;
  /**
   * The constants of a tensor's quantisation, made when first asked for.
   *
   * @param signed whether for its integers as int8 ones; default: as the tensor is
   */
  names(tensor: number, signed?: boolean): QuantizationNames;
  /** Whether a tensor is int8. */
  isSigned(tensor: number): boolean;
  /** The value that holds a tensor's integers as int8 or uint8 ones, converted where they are not. */
  stored(tensor: number, signed: boolean): string;
  /**
   * Adds an operator of the domain com.microsoft on quantised values: each with its scale and zero point, those of the
   * output behind them, or before them in QLinearConcat.
   */
  qLinear(
    opType: string,
    layer: Int8Layer,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): void;
  /** Adds the weights with their scales and zero points, one for each output channel. */
  weights(layer: Int8ArrayLayer): WeightNames;
  /** Adds the weights and the zero point of the first output channel, as ConvInteger and MatMulInteger take them. */
  integerWeights(layer: Int8ArrayLayer): Pick<WeightNames, 'weights' | 'zeroPoint'>;
}

/** Names of the constants that hold the weights of a layer, their scales and their zero points. */
export interface WeightNames extends QuantizationNames {
  readonly weights: string;
  /** Whether they are stored input by output, output channels along axis 1. */
  readonly transposed: boolean;
}

/**
 * Starts the graph of a quantised network; its tensors' names and uint8 names are reserved.
 *
 * @param moves whether a layer only moves values
 */
export function createQuantizedGraph(
  network: Int8Network,
  moves: (layer: Int8Layer) => boolean,
): QuantizedGraph {
  const { tensors } = network;
  const builder = createGraphBuilder(
    network,
    tensors.flatMap((tensor) => [tensor.name, quantizedName(tensor)]),
  );
  const known = new Map<string, QuantizationNames>();
  const converted = new Map<number, string>();

  function quantization(tensor: number): Quantization {
    const { name, quantization } = tensors[tensor];
    if (quantization) return quantization;
    throw new ModelError(`${network.name}: tensor "${name}" is not quantised`);
  }

  for (const layer of network.layers) {
    const { scale, zeroPoint } = quantization(layer.output);
    if ('relu' in layer) {
      if (layer.relu && zeroPoint !== 0) {
        throw new ModelError(
          `${network.name}: layer "${layer.name}" ends in a ReLU, but its output has zero point ${zeroPoint}, expected 0`,
        );
      }
      const { upper = Infinity } = 'upper' in layer ? layer : {};
      if (holdsMoreThan(quantization(layer.output), upper)) {
        throw new ModelError(
          `${network.name}: layer "${layer.name}" ends in a ReLU up to ${upper}, but its output holds numbers up to ${Math.fround(scale * 255)}`,
        );
      }
    }
    if (!moves(layer)) continue;
    const input = quantization(inputsOf(layer)[0]);
    if (input.scale !== scale || input.zeroPoint !== zeroPoint) {
      throw new ModelError(
        `${network.name}: layer "${layer.name}" must not change the scale or the zero point`,
      );
    }
  }

  const isSigned = (tensor: number) => quantization(tensor).signed === true;

  /** int8 activations come with int8 weights alone: onnxruntime has no kernels for uint8 ones. */
  function weightType(layer: Int8ArrayLayer): 'int8' | 'uint8' {
    const isUnsigned = layer.unsignedWeights && !isSigned(layer.input) && !isSigned(layer.output);
    return isUnsigned ? 'uint8' : 'int8';
  }

  const weightConstants = createWeightConstants(network, builder);

  /** @param dims of the constant: [channels], or [] for the first zero point */
  function weightZeroPoint(layer: Int8ArrayLayer, dims: readonly number[]): string {
    const values = layer.zeroPoints.subarray(0, dims[0] ?? 1);
    const name = `${layer.name}.weight_zero_point`;
    return weightType(layer) === 'uint8'
      ? builder.constant(
          name,
          'uint8',
          dims,
          Uint8Array.from(values, (value) => value + 128),
        )
      : builder.constant(name, 'int8', dims, Int8Array.from(values));
  }

  function names(tensor: number, signed = isSigned(tensor)): QuantizationNames {
    const key = `${tensor} ${signed}`;
    let found = known.get(key);
    if (!found) {
      const { scale, zeroPoint } = quantization(tensor);
      const { name } = tensors[tensor];
      found = {
        scale: builder.constant(`${name}_scale`, 'float32', [], Float32Array.of(scale)),
        zeroPoint: signed
          ? builder.constant(`${name}_zero_point`, 'int8', [], Int8Array.of(zeroPoint - 128))
          : builder.constant(`${name}_zero_point`, 'uint8', [], Uint8Array.of(zeroPoint)),
      };
      known.set(key, found);
    }
    return found;
  }

  /** DequantizeLinear and QuantizeLinear with one scale leave every integer what it is. */
  function convert(tensor: number): string {
    const { name } = tensors[tensor];
    const [from, to] = [names(tensor), names(tensor, !isSigned(tensor))];
    const real = builder.node(
      'DequantizeLinear',
      [quantizedName(tensors[tensor]), from.scale, from.zeroPoint],
      builder.fresh(`${name}_real`),
    );
    const target = builder.fresh(`${name}_converted`);
    return builder.node('QuantizeLinear', [real, to.scale, to.zeroPoint], target);
  }

  return {
    builder,
    quantization,
    names,
    isSigned,
    stored(tensor, signed) {
      if (signed === isSigned(tensor)) return quantizedName(tensors[tensor]);
      const name = converted.get(tensor) ?? convert(tensor);
      converted.set(tensor, name);
      return name;
    },
    qLinear(opType, layer, inputs, output, attributes = {}) {
      const operands = inputsOf(layer).flatMap((tensor, index) => {
        const { scale, zeroPoint } = names(tensor, isSigned(layer.output));
        return [inputs[index], scale, zeroPoint];
      });
      const y = names(layer.output);
      const result = [y.scale, y.zeroPoint];
      builder.node(
        opType,
        opType === 'QLinearConcat' ? [...result, ...operands] : [...operands, ...result],
        output,
        { name: layer.name, domain: MICROSOFT_DOMAIN, attributes },
      );
    },
    weights(layer) {
      const { name, scales } = layer;
      const stored = weightConstants.stored(layer, weightType(layer));
      return {
        weights: stored.name,
        transposed: stored.transposed,
        scale: builder.constant(`${name}.weight_scale`, 'float32', [scales.length], scales),
        zeroPoint: weightZeroPoint(layer, [scales.length]),
      };
    },
    integerWeights(layer) {
      const type = weightType(layer);
      const weights =
        layer.kind === 'convolution'
          ? weightConstants.stored(layer, type).name
          : weightConstants.inputByOutput(layer, type);
      return { weights, zeroPoint: weightZeroPoint(layer, []) };
    },
  };
}
