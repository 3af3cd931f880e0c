import { type ConvolutionShape, weightCount, windowSize } from '../../core/index.js';
import type { SystolicArray } from '../hardware/systolic-array.js';

/**
 * The order in which an array first reads the weights of a network; weights are numbered in network order
 * over all layers. Both directions are closed forms, inverse to each other on 0 … weights − 1.
 */
export interface WeightStream {
  readonly weights: number;
  streamPositionOf(weight: number): number;
  weightAtStreamPosition(position: number): number;
  /** The layers in their order, from which both follow. */
  readonly layers: readonly LayerOrder[];
}

/**
 * One layer: for each group a matrix of `folded` × `walked` weights. The stream takes `foldWidth` indices of
 * the folded dimension at a time; within such a fold the walked index is the outer one.
 */
export interface LayerOrder {
  /** First weight, and first stream position, of the layer. */
  readonly start: number;
  readonly weights: number;
  readonly groupWeights: number;
  readonly folded: number;
  readonly walked: number;
  readonly foldWidth: number;
  /** Distance in network order of neighbours along the folded and along the walked dimension. */
  readonly foldedStride: number;
  readonly walkedStride: number;
}

/**
 * The weight stream of the weighted layers `shapes` (in network order), with SCALE-Sim's mapping of folds:
 * N filters lie on the array's columns (output- and weight-stationary), K window positions (in the order
 * input channel, ky, kx) on its rows (weight- and input-stationary); column folds outer, row folds inner.
 *
 * - weight-stationary: per fold of `columns` filters, per fold of `rows` window positions, the window position
 *   ascends and the filter is innermost. A fold of filters takes all its window positions in turn, so
 *   `rows` does not show in the order.
 * - output-stationary: per fold of `columns` filters, the window position ascends, filter innermost: the same.
 * - input-stationary: per fold of `rows` window positions, the filter ascends, window position innermost.
 *
 * The last fold is smaller where the array does not divide the matrix. A grouped convolution is one matrix
 * per group, in turn. Weights that a dataflow reads again for further output positions (output- and
 * input-stationary) keep the place of their first reading.
 */
export function weightStream(
  shapes: readonly ConvolutionShape[],
  array: SystolicArray,
): WeightStream {
  const layers: LayerOrder[] = [];
  let weights = 0;
  for (const shape of shapes) {
    layers.push(layerOrder(shape, array, weights));
    weights += weightCount(shape);
  }
  const layerOf = (index: number): LayerOrder => {
    let layer = layers.length - 1;
    while (layers[layer].start > index) layer--;
    return layers[layer];
  };
  return {
    weights,
    layers,
    streamPositionOf: (weight) => positionIn(layerOf(weight), weight),
    // A layer's stream positions are the numbers of its weights, permuted.
    weightAtStreamPosition: (position) => weightIn(layerOf(position), position),
  };
}

function layerOrder(shape: ConvolutionShape, array: SystolicArray, start: number): LayerOrder {
  const filters = shape.output.channels / shape.groups;
  const window = windowSize(shape);
  const layer = { start, weights: weightCount(shape), groupWeights: filters * window };
  return array.dataflow === 'input-stationary'
    ? {
        ...layer,
        folded: window,
        walked: filters,
        foldWidth: array.rows,
        foldedStride: 1,
        walkedStride: window,
      }
    : {
        ...layer,
        folded: filters,
        walked: window,
        foldWidth: array.columns,
        foldedStride: window,
        walkedStride: 1,
      };
}

/** Words in the order of weights and of slots. */
export interface StreamWords<Words extends Uint8Array | Uint32Array> {
  readonly ofWeights: Words;
  /** Stream position p is in slot p mod slots. */
  readonly ofSlots: Words;
}

/** Give each weight the word of its slot. */
export function spreadFromSlots<Words extends Uint8Array | Uint32Array>(
  layers: readonly LayerOrder[],
  { ofWeights, ofSlots }: StreamWords<Words>,
): void {
  forEachFold(layers, ofSlots.length, (weight, walkedStride, foldedStride, walked, size, slot) => {
    let at = slot;
    for (let step = 0; step < walked; step++) {
      let to = weight + step * walkedStride;
      for (let folded = 0; folded < size; folded++, to += foldedStride) {
        ofWeights[to] = ofSlots[at];
        at = at + 1 === ofSlots.length ? 0 : at + 1;
      }
    }
  });
}

/** Of stuck bits: those of each weight's slot that are stuck at another value than the stored one. */
export function spreadOtherBits<Words extends Uint8Array | Uint32Array>(
  layers: readonly LayerOrder[],
  { ofWeights, ofSlots }: StreamWords<Words>,
  stored: Words,
  stuckAt1OfSlots: Words,
): void {
  forEachFold(layers, ofSlots.length, (weight, walkedStride, foldedStride, walked, size, slot) => {
    let at = slot;
    for (let step = 0; step < walked; step++) {
      let to = weight + step * walkedStride;
      for (let folded = 0; folded < size; folded++, to += foldedStride) {
        ofWeights[to] = ofSlots[at] & (stored[to] ^ stuckAt1OfSlots[at]);
        at = at + 1 === ofSlots.length ? 0 : at + 1;
      }
    }
  });
}

/** Join each slot's word with those of all its weights by or. */
export function joinInSlots<Words extends Uint8Array | Uint32Array>(
  layers: readonly LayerOrder[],
  { ofWeights, ofSlots }: StreamWords<Words>,
): void {
  forEachFold(layers, ofSlots.length, (weight, walkedStride, foldedStride, walked, size, slot) => {
    let at = slot;
    for (let step = 0; step < walked; step++) {
      let from = weight + step * walkedStride;
      for (let folded = 0; folded < size; folded++, from += foldedStride) {
        ofSlots[at] |= ofWeights[from];
        at = at + 1 === ofSlots.length ? 0 : at + 1;
      }
    }
  });
}

/** @param visit is told the first weight of a fold, both strides, how often they are walked, and the first slot */
function forEachFold(
  layers: readonly LayerOrder[],
  slots: number,
  visit: (
    weight: number,
    walkedStride: number,
    foldedStride: number,
    walked: number,
    size: number,
    slot: number,
  ) => void,
): void {
  for (const layer of layers) {
    const { start, weights, groupWeights, folded, walked, foldWidth } = layer;
    for (let group = start; group < start + weights; group += groupWeights) {
      for (let first = 0; first < folded; first += foldWidth) {
        visit(
          group + first * layer.foldedStride,
          layer.walkedStride,
          layer.foldedStride,
          walked,
          Math.min(foldWidth, folded - first),
          (group + first * walked) % slots,
        );
      }
    }
  }
}

function positionIn(layer: LayerOrder, weight: number): number {
  const inGroup = (weight - layer.start) % layer.groupWeights;
  const folded = Math.floor(inGroup / layer.foldedStride) % layer.folded;
  const walked = Math.floor(inGroup / layer.walkedStride) % layer.walked;
  const inFold = folded % layer.foldWidth;
  const foldStart = folded - inFold;
  const foldSize = Math.min(layer.foldWidth, layer.folded - foldStart);
  return weight - inGroup + foldStart * layer.walked + walked * foldSize + inFold;
}

function weightIn(layer: LayerOrder, position: number): number {
  const inGroup = (position - layer.start) % layer.groupWeights;
  const foldStart = Math.floor(inGroup / (layer.foldWidth * layer.walked)) * layer.foldWidth;
  const foldSize = Math.min(layer.foldWidth, layer.folded - foldStart);
  const inFold = inGroup - foldStart * layer.walked;
  const walked = Math.floor(inFold / foldSize);
  const folded = foldStart + inFold - walked * foldSize;
  return position - inGroup + folded * layer.foldedStride + walked * layer.walkedStride;
}
