import type { OnnxNode } from '../onnx/index.js';
import { floatAttribute, type ImportGraph, nodeError, requireAttribute } from './graph.js';

interface NamedConstant {
  readonly name: string;
  readonly data: Float32Array;
}

/** y = factors[c] · x + offsetOf(c, 0); with a bias b on x, offsetOf(c, b); in float64. */
export interface NormalizationFactors {
  readonly factors: Float64Array;
  offsetOf(channel: number, bias: number): number;
}

function requireChannels(
  graph: ImportGraph,
  node: OnnxNode,
  role: string,
  channels: number,
  { name, data }: NamedConstant,
): Float32Array {
  if (data.length === channels) return data;
  throw nodeError(
    graph.source,
    node,
    `has a ${role} "${name}" of ${data.length} values for ${channels} channels`,
  );
}

/**
 * y = γ (x − μ) / √(σ² + ε) + β after x = Σ w·a + b is the layer with weights w·γ/√(σ² + ε) and
 * bias β + (b − μ)·γ/√(σ² + ε).
 *
 * @param constantAt the constant that the node takes at a position
 */
export function normalizationFactors(
  graph: ImportGraph,
  node: OnnxNode,
  channels: number,
  constantAt: (position: number, role: string) => NamedConstant,
): NormalizationFactors {
  const { source } = graph;
  requireAttribute(source, node, 'training_mode', 0);
  const [scale, offset, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((role, index) =>
    requireChannels(graph, node, role, channels, constantAt(index + 1, role)),
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
