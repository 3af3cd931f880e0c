import type { ArrayLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** Its products are computed on the array, by a kernel that the datapath gives it. */
export const fullyConnected: OperatorDefinition<ArrayLayer> = {
  kind: 'fully-connected',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [],
  vectorOperations: () => 0,
  isRectified: ({ relu }) => relu,
};
