import { featureCount } from '../../core/index.js';
import { layerIndex, type Network } from '../../models/index.js';
import { type RestartPoint, restartPoints } from '../../sim/index.js';

/** The last place at or before a layer where a run can start; at the latest the network's input. */
export function startPointOf(network: Network, layer: string): RestartPoint {
  const index = layerIndex(network, layer);
  const point = restartPoints(network).findLast((candidate) => candidate.layer <= index);
  return point ?? { layer: 0, tensor: network.input };
}

/** Values of one image at a point. */
export function valuesAt(network: Network, { tensor }: RestartPoint): number {
  return featureCount(network.tensors[tensor].shape);
}
