import {
  type ElementType,
  elementArray,
  type OnnxNode,
  type OnnxTensor,
} from '../../../onnx/index.js';
import type { GraphScope, TensorType } from '../../graph.js';
import { sizeOf } from '../forms/index.js';

/** Elements of any type; those of one array are all numbers or all 64-bit integers. */
export interface Elements {
  readonly length: number;
  [index: number]: number | bigint;
}

/** A node whose inputs are constants, or absent. */
export interface Folded {
  readonly scope: GraphScope;
  readonly node: OnnxNode;
  /** By place; undefined: absent. */
  readonly inputs: readonly (OnnxTensor | undefined)[];
  /** Types of the outputs that are used, by place. */
  readonly outputs: readonly TensorType[];
}

/** The elements of a node's outputs, by place; undefined: the node stays. */
export type FoldRule = (folded: Folded) => readonly Elements[] | undefined;

/** Rules by operator. */
export type FoldRules = Readonly<Record<string, FoldRule>>;

/** Elements of a type, all zero. */
export function zeros({ elementType, dims }: TensorType): Elements {
  return elementArray(elementType, sizeOf(dims));
}

/** Elements behind each step along an axis, of a row-major tensor. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = dims.map(() => 1);
  for (let axis = dims.length - 2; axis >= 0; axis -= 1) {
    strides[axis] = strides[axis + 1] * dims[axis + 1];
  }
  return strides;
}

/** Strides with which a tensor is read as if it were repeated to `dims`. */
export function repeatedStrides(from: readonly number[], dims: readonly number[]): number[] {
  const strides = stridesOf(from);
  return dims.map((_, axis) => {
    const own = axis - dims.length + from.length;
    return own < 0 || from[own] === 1 ? 0 : strides[own];
  });
}

/**
 * Calls `visit` for each index of a tensor in row-major order, with the place that each list of strides gives it,
 * from its offset on.
 */
export function eachPlace(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (index: number, places: readonly number[]) => void,
  offsets: readonly number[] = strides.map(() => 0),
): void {
  const count = sizeOf(dims);
  const at = dims.map(() => 0);
  const places = [...offsets];
  for (let index = 0; index < count; index += 1) {
    visit(index, places);
    for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
      at[axis] += 1;
      const wraps = at[axis] === dims[axis];
      const steps = wraps ? 1 - dims[axis] : 1;
      for (let list = 0; list < places.length; list += 1) {
        places[list] += steps * strides[list][axis];
      }
      if (!wraps) break;
      at[axis] = 0;
    }
  }
}

/** Elements of `type` read from `data` with strides, from an offset on. */
export function pick(
  type: TensorType,
  data: Elements,
  strides: readonly number[],
  offset = 0,
): Elements {
  const target = zeros(type);
  eachPlace(
    type.dims,
    [strides],
    (index, [place]) => {
      target[index] = data[place];
    },
    [offset],
  );
  return target;
}

/** Whether the elements of a type are 64-bit integers. */
export function isBigInt(type: ElementType): type is 'int64' | 'uint64' {
  return type === 'int64' || type === 'uint64';
}

/** Whether a type is one of numbers with a fraction. */
export function isFloat(type: ElementType): type is 'float16' | 'float32' | 'float64' {
  return type === 'float16' || type === 'float32' || type === 'float64';
}

const HALF = new DataView(new ArrayBuffer(4));

/** The number that the bits of a binary16 mean. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the binary16 number nearest to a float32 number, halves to the even one. */
export function toHalf(value: number): number {
  HALF.setFloat32(0, value);
  const bits = HALF.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const size = Math.abs(HALF.getFloat32(0));
  if (Number.isNaN(size)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const exact = exponent > 15 || 2 ** exponent > size ? exponent - 1 : exponent;
  const steps = size * 2 ** (10 - Math.max(exact, -14));
  const rounded = Math.floor(steps);
  const rest = steps - rounded;
  const even = rest > 0.5 || (rest === 0.5 && rounded % 2 === 1) ? rounded + 1 : rounded;
  // A fraction that overflows carries into the exponent.
  return sign | (even + (Math.max(exact, -14) + 14) * 1024);
}

/** A constant's elements as numbers: of float16 what its bits mean. */
export function numbersOf({ elementType, data }: OnnxTensor): Elements {
  return elementType === 'float16' ? Float32Array.from(data, fromHalf) : data;
}

/** Numbers as the elements of a type: float16 from float32 numbers. */
export function asElements(type: ElementType, values: Elements): Elements {
  if (type !== 'float16') return values;
  return Uint16Array.from({ length: values.length }, (_, index) => toHalf(Number(values[index])));
}

/** An array in which values of a type are computed: of float16 in float32, as onnxruntime does. */
export function workspace({ elementType, dims }: TensorType): Elements {
  return elementArray(elementType === 'float16' ? 'float32' : elementType, sizeOf(dims));
}
