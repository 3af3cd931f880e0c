import type { DataOf, ElementType } from './model.js';
import { onnx } from './proto/onnx.js';

const { DataType } = onnx.TensorProto;

/** The number of an element type in TensorProto.DataType. */
export const DATA_TYPES: Readonly<Record<ElementType, onnx.TensorProto.DataType>> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int16: DataType.INT16,
  uint16: DataType.UINT16,
  int32: DataType.INT32,
  uint32: DataType.UINT32,
  int64: DataType.INT64,
  uint64: DataType.UINT64,
  bool: DataType.BOOL,
};

const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map(
  (Object.keys(DATA_TYPES) as ElementType[]).map((type) => [DATA_TYPES[type], type]),
);

/** The element type of a number of TensorProto.DataType; undefined when Bitcell does not know it. */
export function elementTypeOf(dataType: number | null | undefined): ElementType | undefined {
  return ELEMENT_TYPES.get(dataType ?? DataType.UNDEFINED);
}

/** What a number of TensorProto.DataType is called. */
export function dataTypeName(dataType: number | null | undefined): string {
  return DataType[dataType ?? DataType.UNDEFINED]?.toLowerCase() ?? `number ${dataType}`;
}

const ARRAYS: {
  readonly [T in ElementType]: {
    new (length: number): DataOf[T];
    new (buffer: ArrayBuffer): DataOf[T];
    readonly BYTES_PER_ELEMENT: number;
  };
} = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Bytes of one element. */
export function elementWidth(type: ElementType): number {
  return ARRAYS[type].BYTES_PER_ELEMENT;
}

/** An array of `length` zeros, or the elements whose little-endian bytes a buffer holds. */
export function elementArray<T extends ElementType>(
  type: T,
  content: number | ArrayBuffer,
): DataOf[T] {
  const Elements = ARRAYS[type];
  return typeof content === 'number' ? new Elements(content) : new Elements(content);
}
