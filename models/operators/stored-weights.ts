import type { Float32StoredWeights, Int8StoredWeights } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** Weights that an operator on the host takes; the datapath writes the words that it reads into their tensor. */
export const storedWeights: OperatorDefinition<Int8StoredWeights | Float32StoredWeights> = {
  kind: 'stored-weights',
  moves: false,
  joins: true,
  keepsChannels: false,
  readers: [],
  vectorOperations: () => 0,
};
