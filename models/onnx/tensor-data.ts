import { excerpt, ModelError } from '../../core/index.js';
import { dataTypeName, elementArray, elementTypeOf, elementWidth } from './element-types.js';
import type { ExternalReader } from './external-data.js';
import type { DataOf, ElementType, OnnxTensor } from './model.js';
import { onnx } from './proto/onnx.js';

const { DataLocation } = onnx.TensorProto;

/** More dimensions than any operator works on. */
const MOST_DIMENSIONS = 64;

/** A tensor of given dimensions, whose data stands in raw bytes, in a field of its type or in another file. */
export function tensorWithData(
  tensor: onnx.TensorProto.$Properties,
  dims: readonly number[],
  external: ExternalReader,
  what: string,
): Omit<OnnxTensor, 'name'> {
  const count = dims.reduce((product, size) => product * size, 1);
  const isPossible = dims.length <= MOST_DIMENSIONS && dims.every((size) => size >= 0);
  if (!isPossible || !Number.isSafeInteger(count)) {
    throw new ModelError(`${what} has impossible dimensions [${excerpt(dims.join(', '))}]`);
  }
  const elementType = elementTypeOf(tensor.dataType);
  if (!elementType) {
    throw new ModelError(
      `${what} has element type ${dataTypeName(tensor.dataType)}; Bitcell reads floats of 16, 32 and 64 bits, integers of 8 to 64 bits and bool`,
    );
  }
  const isExternal = tensor.dataLocation === DataLocation.EXTERNAL || tensor.externalData?.length;
  const data = isExternal
    ? external.read(tensor, checkedBytes(count, elementType, what), what)
    : undefined;
  if (isExternal && !data) {
    return typed(elementType, dims, elementArray(elementType, count), true);
  }
  const elements = data ? elementArray(elementType, data) : ownData(tensor, elementType, what);
  if (elements.length !== count) {
    throw new ModelError(
      `${what} has ${elements.length} values, but dimensions [${excerpt(dims.join(', '))}]`,
    );
  }
  return typed(elementType, dims, elements);
}

function checkedBytes(count: number, elementType: ElementType, what: string): number {
  const bytes = count * elementWidth(elementType);
  if (bytes < 2 ** 40) return bytes;
  throw new ModelError(`${what} has ${count} values, more than a network's`);
}

function typed<T extends ElementType>(
  elementType: T,
  dims: readonly number[],
  data: DataOf[T],
  absent = false,
): Omit<OnnxTensor, 'name'> {
  // elementType and data belong together in OnnxTensor; TypeScript cannot see it through the generic.
  const tensor = { elementType, dims, data, ...(absent && { absent }) };
  return tensor as unknown as Omit<OnnxTensor, 'name'>;
}

function ownData(
  tensor: onnx.TensorProto.$Properties,
  elementType: ElementType,
  what: string,
): DataOf[ElementType] {
  if (tensor.rawData?.length) {
    return elementArray(elementType, alignedCopy(tensor.rawData, elementWidth(elementType), what));
  }
  switch (elementType) {
    case 'float32':
      return Float32Array.from(tensor.floatData ?? []);
    case 'float64':
      return Float64Array.from(tensor.doubleData ?? []);
    case 'int64':
      return BigInt64Array.from(tensor.int64Data ?? [], bigint);
    case 'uint64':
      return BigUint64Array.from(tensor.uint64Data ?? [], bigint);
    case 'uint32':
      return Uint32Array.from(tensor.uint64Data ?? [], Number);
    default: {
      const values = tensor.int32Data ?? [];
      const elements = elementArray(elementType, values.length);
      for (const [index, value] of values.entries()) elements[index] = value;
      return elements;
    }
  }
}

function bigint(value: { toString(): string }): bigint {
  return BigInt(value.toString());
}

/** A copy that typed arrays of `width`-byte elements can view (raw_data starts anywhere in the file). */
function alignedCopy(raw: Uint8Array, width: number, what: string): ArrayBuffer {
  if (raw.length % width !== 0) {
    throw new ModelError(`${what} has ${raw.length} bytes of data, not a multiple of ${width}`);
  }
  return new Uint8Array(raw).buffer;
}
