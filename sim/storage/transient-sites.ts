import { windowSize } from '../../core/index.js';
import { isOnArray, isWeighted, type Network, type WeightedLayer } from '../../models/index.js';
import type { TransientFault, TransientOperation } from '../disturbance/transients.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';
import type { PlacedStorage } from './placed-storage.js';

/**
 * Where and when a transient fault may strike while an image passes: each bit of each value once. Values are what a memory
 * holds (a stored weight, a value of a tensor), or what an element of the array makes: for each product of an output one
 * weight that is multiplied by, one product and one sum that it was added to.
 */
export interface TransientSites {
  readonly count: number;
  /** The fault of a site, 0 ≤ site < count: distinct for distinct sites. */
  faultAt(site: number): TransientFault;
}

/** Which of the sites: those of one layer, or of one bit. */
export interface SiteScope {
  readonly layer?: string | undefined;
  readonly bit?: number | undefined;
}

/** A run of values with the same bits. */
interface ValueRun {
  readonly values: number;
  faultAt(value: number, bit: number): TransientFault;
}

/** The sites of a storage. */
export function transientSites(
  network: Network,
  array: SystolicArray,
  { name, cells, valueBits }: PlacedStorage,
  { layer, bit: only }: SiteScope = {},
): TransientSites {
  const bits = name === 'accumulators' ? 32 : valueBits;
  const all = runsOf(network, array, name, cells);
  const runs = layer === undefined ? all : all.filter((run) => run.layer === layer);
  const bitsOfValue = only === undefined ? bits : 1;
  const ends: number[] = [];
  for (const { values } of runs) ends.push((ends.at(-1) ?? 0) + values * bitsOfValue);
  return {
    count: ends.at(-1) ?? 0,
    faultAt(site) {
      const index = ends.findIndex((end) => site < end);
      const within = site - (index === 0 ? 0 : ends[index - 1]);
      const value = Math.floor(within / bitsOfValue);
      return runs[index].faultAt(value, only ?? within - value * bitsOfValue);
    },
  };
}

type LayerRun = ValueRun & { readonly layer: string | undefined };

function runsOf(
  network: Network,
  array: SystolicArray,
  name: PlacedStorage['name'],
  cells: PlacedStorage['cells'],
): LayerRun[] {
  if (cells.kind === 'feature-maps') {
    return cells.tensors.map(({ tensor, layer, placement }) => ({
      layer,
      values: placement.weights,
      faultAt: (value, bit) => ({ kind: 'value', tensor, value, bit }),
    }));
  }
  const layers: readonly Network['layers'][number][] = network.layers;
  const weighted = layers.flatMap((layer, index) => (isWeighted(layer) ? [{ layer, index }] : []));
  if (cells.kind === 'weights') {
    const first = firstWeightOfLayers(network);
    return weighted.flatMap(({ layer }, place) =>
      layer.sharedWeights
        ? []
        : [
            {
              layer: layer.name,
              values: layer.weights.length,
              faultAt: (value: number, bit: number) => ({
                ...{ kind: 'weight' as const, weight: first[place] + value, bit },
              }),
            },
          ],
    );
  }
  const register = registerOf(name);
  const products = weighted.filter(({ layer }) => isOnArray(layer));
  return products.map(({ layer, index }) => ({
    layer: layer.name,
    values: productsOf(layer),
    faultAt: (product, bit) => operationAt(layer, index, array, { register, product, bit }),
  }));
}

function registerOf(name: PlacedStorage['name']): TransientOperation['register'] {
  switch (name) {
    case 'weight-registers':
      return 'weight';
    case 'multipliers':
      return 'product';
    case 'accumulators':
      return 'sum';
    default:
      throw new Error(`${name} is no part of the array`);
  }
}

/** Products of one image. */
function productsOf({ shape }: WeightedLayer): number {
  const { height, width, channels } = shape.output;
  return height * width * channels * windowSize(shape);
}

/** Product number (position · channels + channel) · window + window position. */
function operationAt(
  { shape }: WeightedLayer,
  layer: number,
  array: SystolicArray,
  {
    register,
    product,
    bit,
  }: Pick<TransientOperation, 'register' | 'bit'> & { readonly product: number },
): TransientOperation {
  const window = windowSize(shape);
  const output = Math.floor(product / window);
  const { channels, height, width } = shape.output;
  const position = Math.floor(output / channels);
  return {
    ...{ kind: 'operation', register, layer, bit },
    channel: output - position * channels,
    firstPosition: position,
    endPosition:
      register === 'weight' ? endOfWeight(position, height * width, array) : position + 1,
    window: product - output * window,
  };
}

/**
 * Until when a weight that is struck while it serves an output position serves others: where it stays until all of the
 * fold have passed, else in the elements to which it moves on, one for each output position of the fold.
 */
function endOfWeight(
  position: number,
  positions: number,
  { dataflow, rows, columns }: SystolicArray,
): number {
  if (dataflow === 'weight-stationary') return positions;
  const fold = dataflow === 'output-stationary' ? rows : columns;
  return Math.min(positions, (Math.floor(position / fold) + 1) * fold);
}
