import type { ArrayLayer } from '../network.js';
import type { OperatorDefinition } from './definition.js';

/** Its products are computed on the array, by a kernel that the datapath gives it. */
export const convolution: OperatorDefinition<ArrayLayer> = {
  kind: 'convolution',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [],
  vectorOperations: () => 0,
  isRectified: ({ relu }) => relu,
};
