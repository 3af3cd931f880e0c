import {
  definitionOf,
  inputsOf,
  isWeighted,
  type Layer,
  type Network,
  type WeightedLayer,
  weightedLayers,
} from '../../../models/index.js';

/** A layer whose output channels can be kept in one another's places. Layers are counted among the weighted ones. */
export interface MovableLayer {
  readonly layer: number;
  /** The layers that read its channels, whose inputs follow. */
  readonly readers: readonly number[];
}

/**
 * The layers all of whose output channels reach nothing but weighted layers, through layers that keep channels apart.
 * Neither is grouped, or shares its words with another layer, which would have to follow.
 */
export function movableLayers(network: Network): MovableLayer[] {
  const weighted = weightedLayers(network);
  const owners = new Set(weighted.map(({ sharedWeights }) => sharedWeights?.layer));
  const isFree = ({ name, shape, sharedWeights }: WeightedLayer) =>
    shape.groups === 1 && !sharedWeights && !owners.has(name);
  /** Undefined: the channels reach something else. */
  const readersOf = (tensor: number): number[] | undefined => {
    if (tensor === network.output) return undefined;
    const layers: readonly Layer[] = network.layers;
    const found = layers
      .filter((layer) => inputsOf(layer).includes(tensor))
      .map((layer) => {
        if (!isWeighted(layer)) {
          return definitionOf(layer).keepsChannels ? readersOf(layer.output) : undefined;
        }
        return isFree(layer) ? [weighted.findIndex(({ name }) => name === layer.name)] : undefined;
      });
    return found.some((readers) => readers === undefined)
      ? undefined
      : found.flatMap((readers) => readers ?? []);
  };
  return weighted.flatMap((layer, index) => {
    const readers = isFree(layer) ? readersOf(layer.output) : undefined;
    return readers ? [{ layer: index, readers }] : [];
  });
}
