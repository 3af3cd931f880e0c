import { isOnArray, type Layer } from '../network.js';
import type { JoinableLayer, JoinableProduct } from './definition.js';

/** The layer before a node, where the array computes it; undefined otherwise. */
export function productOf(layer: JoinableLayer | undefined): JoinableProduct | undefined {
  return layer && isOnArray(layer as Layer) ? (layer as JoinableProduct) : undefined;
}
