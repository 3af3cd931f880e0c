import {
  constantInput,
  floatAttribute,
  type ImportGraph,
  nodeError,
  requireAttribute,
} from './graph.js';
import type { OnnxNode } from '../onnx/index.js';

/** A constant input with one value per channel. */
export function perChannel(
  graph: ImportGraph,
  node: OnnxNode,
  position: number,
  role: string,
  channels: number,
): Float32Array {
  const { name, data } = constantInput(graph, node, position, role, 'float32');
  if (data.length !== channels) {
    throw nodeError(
      graph.source,
      node,
      `has a ${role} "${name}" of ${data.length} values for ${channels} channels`,
    );
  }
  return data;
}

/** y = factors[c] · x + offsetOf(c, 0); with a bias b on x, offsetOf(c, b); in float64. */
export interface NormalizationFactors {
  readonly factors: Float64Array;
  offsetOf(channel: number, bias: number): number;
}

/**
 * y = γ (x − μ) / √(σ² + ε) + β after x = Σ w·a + b is the layer with weights w·γ/√(σ² + ε) and
 * bias β + (b − μ)·γ/√(σ² + ε).
 */
export function normalizationFactors(
  graph: ImportGraph,
  node: OnnxNode,
  channels: number,
): NormalizationFactors {
  const { source } = graph;
  requireAttribute(source, node, 'training_mode', 0);
  const [scale, offset, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((role, index) =>
    perChannel(graph, node, index + 1, role, channels),
  );
  const epsilon = floatAttribute(source, node, 'epsilon', 1e-5);
  const factors = Float64Array.from(scale, (gamma, channel) => {
    const factor = gamma / Math.sqrt(variance[channel] + epsilon);
    if (Number.isFinite(factor)) return factor;
    throw nodeError(source, node, `cannot be folded: channel ${channel} divides by zero or worse`);
  });
  return {
    factors,
    offsetOf: (channel, bias) => offset[channel] + (bias - mean[channel]) * factors[channel],
  };
}
