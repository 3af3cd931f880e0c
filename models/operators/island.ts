import type { IslandLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** A part of the graph that onnxruntime computes on the host, which gives it its meaning. */
export const island: OperatorDefinition<IslandLayer> = {
  kind: 'island',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [],
  vectorOperations: () => 0,
};
