import { type ConvolutionShape, featureCount, InputError, weightCount } from '../../core/index.js';
import { weightBits } from '../../models/index.js';
import type { Float32ArrayWeights, Int8ArrayWeights } from '../disturbance/array/window-weights.js';
import { type ArrayFaults, checkArrayFaults, partialSumSlot } from '../disturbance/array-faults.js';
import type { AccessCounts } from '../hardware/access-counts.js';
import { preloads, type SystolicArray } from '../hardware/systolic-array.js';
import { type Arithmetic, float32Arithmetic, float32Of, int8Arithmetic } from './arithmetic.js';
import { type Elements, elementsOf } from './elements.js';
import { outputStationaryFold } from './output-stationary.js';
import { preloadingTiles, type Tile } from './preload.js';
import { readWith } from './registers.js';
import { createSrams, type ReadPartialSum, type Srams, type StoredLayer } from './srams.js';
import {
  inputStationaryPorts,
  type StationaryPorts,
  stationaryFold,
  weightStationaryPorts,
} from './stationary.js';

/** What an array did with one image in one layer. */
export interface ArrayRun<Sums extends Int32Array | Float32Array> {
  /** The sums, bias included: output positions × output channels. */
  readonly accumulators: Sums;
  /** From the first word that enters the array to the last sum that leaves it. */
  readonly cycles: number;
  readonly accesses: AccessCounts;
}

export interface ArrayRunOptions {
  /** Called with the number of each weight within the layer (network order) as the array reads it. */
  readonly weightRead?: (weight: number) => void;
  /** None: everything is sound. */
  readonly faults?: ArrayFaults;
}

export interface Int8ArrayLayer extends Int8ArrayWeights {
  readonly inputZeroPoint: number;
  readonly bias: Int32Array;
}

export interface Float32ArrayLayer extends Float32ArrayWeights {
  readonly bias: Float32Array;
}

/**
 * Computes one image of an int8 layer on a systolic array, element by element and cycle by cycle: slow, meant for
 * small arrays, the proof of the closed forms of `layerTiming` and the reference of faults in registers. Inputs enter
 * the array with their zero point subtracted, weights as they are stored; accumulators are 32 bits wide and wrap around,
 * so the sums are the kernels', to the bit. Windows are taken in network order (input channel, ky, kx), folds in
 * SCALE-Sim's (column folds outer, row folds inner).
 *
 * @param input height × width × channels, channels innermost
 * @throws InputError when a length does not fit the shape, or faults do not fit the array
 */
export function runInt8Layer(
  layer: Int8ArrayLayer,
  input: Uint8Array,
  array: SystolicArray,
  options: ArrayRunOptions = {},
): ArrayRun<Int32Array> {
  const { shape, weightZeroPoints, wordMask = 0 } = layer;
  checkLengths(shape, { ...layer, input, weightZeroPoints });
  const stored: StoredLayer = {
    ...layer,
    input,
    weights: weightBits(layer.weights).map((byte) => byte ^ wordMask),
    weightOf: (word, channel) => (((word ^ wordMask) << 24) >> 24) - weightZeroPoints[channel],
    windowOrder: 'channel-first',
  };
  const { words, ...counts } = runLayer(stored, array, int8Arithmetic, options);
  return { accumulators: words, ...counts };
}

/**
 * The same for a float32 layer. Sums start from the bias and take their products in the order that defines a float32
 * result (ky, kx, input channel, each step rounded), in every dataflow, because partial sums enter the head of a
 * column again instead of being added up behind the array. So they, too, are to the bit those of the kernels' direct
 * algorithm (docs/kernels-float32.md).
 */
export function runFloat32Layer(
  layer: Float32ArrayLayer,
  input: Float32Array,
  array: SystolicArray,
  options: ArrayRunOptions = {},
): ArrayRun<Float32Array> {
  checkLengths(layer.shape, { ...layer, input });
  const stored: StoredLayer = {
    ...layer,
    input,
    inputZeroPoint: 0,
    weights: weightBits(layer.weights),
    weightOf: float32Of,
    bias: weightBits(layer.bias),
    windowOrder: 'channel-last',
  };
  const { words, ...counts } = runLayer(stored, array, float32Arithmetic, options);
  return {
    accumulators: new Float32Array(words.buffer, words.byteOffset, words.length),
    ...counts,
  };
}

interface LayerRun {
  readonly words: Int32Array;
  readonly cycles: number;
  readonly accesses: AccessCounts;
}

/** All groups, one after the other. */
function runLayer(
  layer: StoredLayer,
  array: SystolicArray,
  arithmetic: Arithmetic,
  { weightRead, faults = {} }: ArrayRunOptions,
): LayerRun {
  checkArrayFaults(faults, array);
  const srams = createSrams(layer, partialSumReader(faults, array), weightRead);
  const elements = elementsOf(array, arithmetic, faults);
  const cycles = cyclesOf(srams, layer.shape.groups, array, elements);
  return { words: srams.results(), cycles, accesses: srams.counts() };
}

function partialSumReader(
  { accumulatorMemory }: ArrayFaults,
  array: SystolicArray,
): ReadPartialSum {
  if (accumulatorMemory === undefined) return (_m, _n, word) => word;
  const { slots, faults } = accumulatorMemory;
  const readSlot = readWith(faults, slots);
  return (m, n, word) => readSlot(0, partialSumSlot(array, slots, m, n), word);
}

function cyclesOf(srams: Srams, groups: number, array: SystolicArray, elements: Elements): number {
  const groupNumbers = Array.from({ length: groups }, (_, group) => group);
  if (array.dataflow === 'output-stationary') {
    return sum(groupNumbers, (group) => outputStationaryGroup(srams, group, elements));
  }
  const portsOf =
    array.dataflow === 'weight-stationary' ? weightStationaryPorts : inputStationaryPorts;
  const tiles = groupNumbers.flatMap((group) =>
    tilesOf(portsOf(srams, srams.group(group), elements), srams.window, array),
  );
  return preloads(array)
    ? preloadingTiles(tiles, elements)
    : sum(tiles, (tile) => stationaryFold(tile.ports, tile, elements));
}

function outputStationaryGroup(srams: Srams, group: number, elements: Elements): number {
  const ports = srams.group(group);
  let cycles = 0;
  for (let n = 0; n < srams.filters; n += elements.columns) {
    for (let m = 0; m < srams.positions; m += elements.rows) {
      cycles += outputStationaryFold(srams, ports, m, n, elements);
    }
  }
  return cycles;
}

function tilesOf(ports: StationaryPorts, window: number, array: SystolicArray): Tile[] {
  const tiles: Tile[] = [];
  for (let firstColumn = 0; firstColumn < ports.columnExtent; firstColumn += array.columns) {
    for (let firstK = 0; firstK < window; firstK += array.rows) {
      tiles.push({ ports, firstK, firstColumn });
    }
  }
  return tiles;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

interface Operands {
  readonly input: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
  readonly weightZeroPoints?: ArrayLike<number>;
}

function checkLengths(shape: ConvolutionShape, operands: Operands): void {
  const expected = {
    input: featureCount(shape.input),
    weights: weightCount(shape),
    weightZeroPoints: shape.output.channels,
    bias: shape.output.channels,
  };
  for (const name of ['input', 'weights', 'weightZeroPoints', 'bias'] as const) {
    const found = operands[name]?.length;
    if (found !== undefined && found !== expected[name]) {
      throw new InputError(
        `Systolic array: ${name} must hold ${expected[name]} values, not ${found}.`,
      );
    }
  }
}
