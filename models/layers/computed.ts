import type {
  BinaryOperation,
  Broadcast,
  FunctionName,
  ReductionName,
  StoredQuantization,
} from '../../kernels/index.js';
import type { JoiningLayer, LayerBase } from './base.js';

/** A function of each value by itself. */
export interface FunctionLayer extends LayerBase {
  readonly kind: 'function';
  readonly function: FunctionName;
  /** float32 numbers, in the function's order. */
  readonly parameters: readonly number[];
}

/** Numbers of the file that a layer computes with, beside those of its tensors. */
export interface ConstantValues {
  readonly values: Float32Array;
  /** Present where the file holds integers, with one scale: those, as uint8. */
  readonly stored?: { readonly values: Uint8Array; readonly quantization: StoredQuantization };
}

/** A function of two values, broadcast: of two tensors, or of one and a constant. */
export interface BinaryLayer extends JoiningLayer {
  readonly kind: 'binary';
  readonly operation: BinaryOperation;
  /** Two tensors, or the one that is not constant. */
  readonly inputs: readonly number[];
  readonly constant?: ConstantValues & { readonly side: 'left' | 'right' };
  /** Over the output as it is stored; steps of the left operand and of the right one. */
  readonly broadcast: Broadcast;
  /** Present where onnxruntime's QLinearAdd exchanges the operands (`quantizedAddTable`). */
  readonly exchanged?: true;
  /** Present when onnxruntime computes it on dequantised numbers, in float32, and then quantises. */
  readonly inFloat32?: true;
}

/** A layer on groups of values, which differ in their place along some axes alone. */
export interface GroupLayer extends LayerBase {
  /** Sizes of the input's axes as stored, outermost first. */
  readonly dims: readonly number[];
  /** Of `dims`, ascending. */
  readonly axes: readonly number[];
}

/** Each group to one value. */
export interface ReduceLayer extends GroupLayer {
  readonly kind: 'reduce';
  readonly reduction: ReductionName;
}

/** The place of each group's greatest or least value, along the one axis. */
export interface ArgLayer extends GroupLayer {
  readonly kind: 'arg';
  readonly least: boolean;
  /** Whether the last of equal values counts, and not the first. */
  readonly last: boolean;
}

/** Powers of each group, divided by their sum; or the logarithm of that. */
export interface SoftmaxLayer extends GroupLayer {
  readonly kind: 'softmax';
  readonly logarithm: boolean;
  /** Present when onnxruntime computes it on dequantised numbers, in float32, and then quantises. */
  readonly inFloat32?: true;
}

/** Each group to mean 0 and variance 1, then by factors and offsets. */
export interface NormalizeLayer extends GroupLayer {
  readonly kind: 'normalize';
  readonly epsilon: number;
  readonly factors: Float32Array;
  readonly offsets: Float32Array;
  /** From one factor to the next along each of `dims`. */
  readonly steps: readonly number[];
}

/** Local response normalisation over the channels of a position. */
export interface ResponseLayer extends LayerBase {
  readonly kind: 'response';
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  /** What is added to the squares: ONNX's `bias`. */
  readonly base: number;
}
