import type { OnnxNode, OnnxTensor, TensorOf } from '../../../onnx/index.js';
import { nodeError } from '../../graph.js';

/** The value of a Constant node, in any of the forms that its attributes have. */
export function constantValue(source: string, node: OnnxNode, name: string): OnnxTensor {
  for (const key of ['value', 'value_float', 'value_floats', 'value_int', 'value_ints']) {
    const attribute = node.attributes.get(key);
    switch (attribute?.type) {
      case 'tensor':
        return { ...attribute.value, name };
      case 'float':
        return { name, elementType: 'float32', dims: [], data: Float32Array.of(attribute.value) };
      case 'floats':
        return vector(name, 'float32', Float32Array.from(attribute.value));
      case 'int': {
        const data = BigInt64Array.of(BigInt(attribute.value));
        return { name, elementType: 'int64', dims: [], data };
      }
      case 'ints':
        return vector(name, 'int64', BigInt64Array.from(attribute.value, BigInt));
    }
  }
  throw nodeError(source, node, 'has no attribute with numbers that Bitcell reads');
}

function vector<T extends 'float32' | 'int64'>(
  name: string,
  elementType: T,
  data: TensorOf<T>['data'],
): TensorOf<T> {
  return { name, elementType, dims: [data.length], data };
}
