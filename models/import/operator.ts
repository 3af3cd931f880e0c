import type { ElementType, OnnxNode } from '../onnx/index.js';

/** The float32 operator between a layer's DequantizeLinear nodes and its QuantizeLinear. */
export interface FloatOperator {
  readonly node: OnnxNode;
  /** Stored type of the weights, if it has some. */
  readonly weightType?: ElementType;
}
