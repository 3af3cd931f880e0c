import { intAttribute, stringAttribute, type TensorType } from '../../graph.js';
import {
  axisOf,
  inputType,
  padsOf,
  permutationOf,
  sizeOf,
  sliceOf,
  splitSizesOf,
} from '../forms/index.js';
import { shapeRange } from '../shapes/moving.js';
import {
  type Elements,
  eachPlace,
  type FoldRule,
  type FoldRules,
  numbersOf,
  pick,
  repeatedStrides,
  stridesOf,
  zeros,
} from './elements.js';

/** The same elements under other dimensions. */
const asIs: FoldRule = ({ inputs: [tensor] }) => (tensor ? [tensor.data] : undefined);

const transpose: FoldRule = ({ scope, node, inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const strides = stridesOf(tensor.dims);
  const permuted = permutationOf(scope, node).map((axis) => strides[axis]);
  return [pick(output, tensor.data, permuted)];
};

const slice: FoldRule = ({ scope, node, inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const { starts, steps } = sliceOf(scope, node);
  const strides = stridesOf(tensor.dims);
  const offset = starts.reduce((sum, start, axis) => sum + start * strides[axis], 0);
  const taken = strides.map((stride, axis) => stride * steps[axis]);
  return [pick(output, tensor.data, taken, offset)];
};

const split: FoldRule = ({ scope, node, inputs: [tensor], outputs }) => {
  if (!tensor) return undefined;
  const { axis, sizes } = splitSizesOf(scope, node);
  const strides = stridesOf(tensor.dims);
  let start = 0;
  return outputs.map((output, index) => {
    const part = pick(output, tensor.data, strides, start * strides[axis]);
    start += sizes[index];
    return part;
  });
};

/** Writes elements of dimensions `dims` into a tensor, at an offset and with its strides. */
function put(
  target: Elements,
  strides: readonly number[],
  offset: number,
  dims: readonly number[],
  data: Elements,
): void {
  eachPlace(
    dims,
    [strides],
    (index, [place]) => {
      target[place] = data[index];
    },
    [offset],
  );
}

const concat: FoldRule = ({ scope, node, inputs, outputs: [output] }) => {
  const target = zeros(output);
  const strides = stridesOf(output.dims);
  const axis = axisOf(scope, node, output.dims.length, 1);
  let start = 0;
  for (const tensor of inputs) {
    if (!tensor) return undefined;
    put(target, strides, start * strides[axis], tensor.dims, tensor.data);
    start += tensor.dims[axis];
  }
  return [target];
};

/** A Pad with a constant that takes nothing away. */
const pad: FoldRule = ({ scope, node, inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const { before, after, mode, value: padding } = padsOf(scope, node);
  if (mode !== 'constant' || [...before, ...after].some((count) => count < 0)) return undefined;
  const target = zeros(output);
  const value = padding();
  if (typeof value === 'object') {
    if (value.elementType !== tensor.elementType) return undefined;
    fill(target, value.data[0]);
  } else if (value) {
    if (tensor.elementType !== 'float32') return undefined;
    fill(target, value);
  }
  const strides = stridesOf(output.dims);
  const offset = before.reduce((sum, count, axis) => sum + count * strides[axis], 0);
  put(target, strides, offset, tensor.dims, tensor.data);
  return [target];
};

function fill(target: Elements, value: number | bigint): void {
  for (let index = 0; index < target.length; index += 1) target[index] = value;
}

const expand: FoldRule = ({ inputs: [tensor], outputs: [output] }) =>
  tensor && [pick(output, tensor.data, repeatedStrides(tensor.dims, output.dims))];

/** Tile: each axis as two, the repeats before the axis itself. */
const tile: FoldRule = ({ inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  if (sizeOf(output.dims) === 0) return [zeros(output)];
  const strides = stridesOf(tensor.dims);
  const dims = tensor.dims.flatMap((size, axis) => [output.dims[axis] / size, size]);
  const doubled = strides.flatMap((stride) => [0, stride]);
  return [pick({ ...output, dims }, tensor.data, doubled)];
};

/** An index of a Gather, from 0 on; undefined: outside. */
function indexOf(stated: number | bigint, size: number): number | undefined {
  const index = Number(stated) < 0 ? Number(stated) + size : Number(stated);
  return index >= 0 && index < size ? index : undefined;
}

const gather: FoldRule = ({ scope, node, inputs: [tensor, indices], outputs: [output] }) => {
  if (!tensor || !indices) return undefined;
  const axis = axisOf(scope, node, tensor.dims.length, 0);
  const size = tensor.dims[axis];
  const target = zeros(output);
  const inner = sizeOf(tensor.dims.slice(axis + 1));
  const outer = sizeOf(tensor.dims.slice(0, axis));
  let place = 0;
  for (let block = 0; block < outer; block += 1) {
    for (const stated of indices.data) {
      const index = indexOf(stated, size);
      if (index === undefined) return undefined;
      const from = (block * size + index) * inner;
      for (let item = 0; item < inner; item += 1) target[place + item] = tensor.data[from + item];
      place += inner;
    }
  }
  return [target];
};

const gatherElements: FoldRule = ({ scope, node, inputs, outputs: [output] }) => {
  const [tensor, indices] = inputs;
  if (!tensor || !indices) return undefined;
  const axis = axisOf(scope, node, tensor.dims.length, 0);
  const strides = stridesOf(tensor.dims);
  const others = strides.with(axis, 0);
  const target = zeros(output);
  let fits = indices.dims.every((size, other) => other === axis || size <= tensor.dims[other]);
  if (!fits) return undefined;
  eachPlace(output.dims, [others], (index, [place]) => {
    const at = indexOf(indices.data[index], tensor.dims[axis]);
    if (at === undefined) fits = false;
    else target[index] = tensor.data[place + at * strides[axis]];
  });
  return fits ? [target] : undefined;
};

/** GatherND without batch dimensions. */
const gatherND: FoldRule = ({ scope, node, inputs: [tensor, indices], outputs: [output] }) => {
  if (!tensor || !indices || intAttribute(scope.source, node, 'batch_dims', 0) !== 0) {
    return undefined;
  }
  const depth = indices.dims[indices.dims.length - 1];
  const strides = stridesOf(tensor.dims);
  const inner = sizeOf(tensor.dims.slice(depth));
  const target = zeros(output);
  const count = sizeOf(indices.dims.slice(0, -1));
  for (let row = 0; row < count; row += 1) {
    let from = 0;
    for (let axis = 0; axis < depth; axis += 1) {
      const at = indexOf(indices.data[row * depth + axis], tensor.dims[axis]);
      if (at === undefined) return undefined;
      from += at * strides[axis];
    }
    for (let item = 0; item < inner; item += 1) {
      target[row * inner + item] = tensor.data[from + item];
    }
  }
  return [target];
};

/** Of a value that is no constant, too: its dimensions are known. */
const shape: FoldRule = ({ scope, node }) => {
  const { start, end } = shapeRange(scope, node);
  const { dims } = inputType(scope, node, 0);
  return [BigInt64Array.from(dims.slice(start, end), BigInt)];
};

const size: FoldRule = ({ scope, node }) => [
  BigInt64Array.of(BigInt(sizeOf(inputType(scope, node, 0).dims))),
];

const constantOfShape: FoldRule = ({ node, outputs: [output] }) => {
  const target = zeros(output);
  const value = node.attributes.get('value');
  if (value?.type === 'tensor') {
    if (value.value.data.length !== 1) return undefined;
    fill(target, value.value.data[0]);
  }
  return [target];
};

/** start + i · step; of integers exactly, of floats rounded as onnxruntime adds them, one step after another. */
const range: FoldRule = ({ inputs: [start, , step], outputs: [output] }) => {
  if (!start || !step || output.elementType === 'float16') return undefined;
  const target = zeros(output);
  const [by] = step.data;
  let [value] = start.data;
  for (let index = 0; index < target.length; index += 1) {
    target[index] = value;
    if (typeof value === 'bigint') value += BigInt(by);
    else
      value =
        output.elementType === 'float32' ? Math.fround(value + Number(by)) : value + Number(by);
  }
  return [target];
};

/** Keeps the upper or the lower triangle of matrices. */
const trilu: FoldRule = ({ scope, node, inputs: [tensor, offset], outputs: [output] }) => {
  if (!tensor || tensor.dims.length < 2) return undefined;
  const keepsUpper = intAttribute(scope.source, node, 'upper', 1) !== 0;
  const shift = Number(offset?.data[0] ?? 0);
  const [rows, columns] = tensor.dims.slice(-2);
  const target = zeros(output);
  for (let index = 0; index < target.length; index += 1) {
    const column = index % columns;
    const row = Math.floor(index / columns) % rows;
    const distance = column - row;
    if (keepsUpper ? distance >= shift : distance <= shift) target[index] = tensor.data[index];
  }
  return [target];
};

const nonZero: FoldRule = ({ inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const target = zeros(output);
  const values = numbersOf(tensor);
  const strides = stridesOf(tensor.dims);
  const count = output.dims[1];
  let found = 0;
  for (let index = 0; index < values.length; index += 1) {
    if (Number(values[index]) === 0) continue;
    for (const [axis, stride] of strides.entries()) {
      target[axis * count + found] = BigInt(Math.floor(index / stride) % tensor.dims[axis]);
    }
    found += 1;
  }
  return [target];
};

const depthToSpace: FoldRule = ({ scope, node, inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const [batch, channels, height, width] = tensor.dims;
  const block = intAttribute(scope.source, node, 'blocksize', 1);
  const depth = channels / block ** 2;
  const isColumnRow = stringAttribute(scope.source, node, 'mode', 'DCR') === 'CRD';
  const from = isColumnRow
    ? [batch, depth, block, block, height, width]
    : [batch, block, block, depth, height, width];
  const order = isColumnRow ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return [reordered(output, tensor.data, from, order)];
};

const spaceToDepth: FoldRule = ({ scope, node, inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const [batch, channels, height, width] = tensor.dims;
  const block = intAttribute(scope.source, node, 'blocksize', 1);
  const from = [batch, channels, height / block, block, width / block, block];
  return [reordered(output, tensor.data, from, [0, 3, 5, 1, 2, 4])];
};

/** Elements seen as of dimensions `from`, with the axes in another order. */
function reordered(
  output: TensorType,
  data: Elements,
  from: readonly number[],
  order: readonly number[],
): Elements {
  const strides = stridesOf(from);
  const dims = order.map((axis) => from[axis]);
  return pick(
    { ...output, dims },
    data,
    order.map((axis) => strides[axis]),
  );
}

/** Operators that move, repeat, pick or count values. */
export const MOVING: FoldRules = {
  Identity: asIs,
  Reshape: asIs,
  Squeeze: asIs,
  Unsqueeze: asIs,
  Flatten: asIs,
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Concat: concat,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Shape: shape,
  Size: size,
  ConstantOfShape: constantOfShape,
  Range: range,
  Trilu: trilu,
  NonZero: nonZero,
};
