import {
  definitionOf,
  isIsland,
  isWeighted,
  type Layer,
  type Network,
  shapesOf,
} from '../../models/index.js';
import type { VectorUnit } from '../hardware/operands.js';

/** A layer without weights on the vector unit, for one image. */
export interface VectorLayerTiming {
  readonly name: string;
  readonly kind: Layer['kind'];
  readonly operations: number;
  readonly cycles: number;
}

/** Cycles of one image in the layers without weights. */
export interface VectorTiming {
  readonly lanes: number;
  readonly layers: readonly VectorLayerTiming[];
  readonly cycles: number;
}

/**
 * Cycles of one image in the layers without weights: ⌈operations / lanes⌉ each, one after the other. An operation is
 * one comparison, addition, multiplication or table look-up:
 * - pooling: one for each place of each window, and one more for each mean;
 * - add, leaky ReLU: one for each value, and one more where a ReLU follows the add; affine: two;
 * - clip: one for each finite limit;
 * - concat and flatten only number the values anew: none.
 *
 * Requantisation and the activation of a weighted layer are done on the way out of the array and take none. Islands are
 * computed on the host, and left out.
 */
export function vectorTiming(network: Network, { lanes }: VectorUnit): VectorTiming {
  const layers = (network.layers as readonly Layer[])
    .filter((layer) => !isWeighted(layer) && !isIsland(layer))
    .map((layer) => {
      const operations = definitionOf(layer).vectorOperations(layer, shapesOf(network, layer));
      return {
        name: layer.name,
        kind: layer.kind,
        operations,
        cycles: Math.ceil(operations / lanes),
      };
    });
  return { lanes, layers, cycles: layers.reduce((sum, { cycles }) => sum + cycles, 0) };
}
