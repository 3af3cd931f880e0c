import { featureCount, InputError, weightCount } from '../../core/index.js';
import type {
  Float32ConvolutionSpecification,
  Int8ConvolutionSpecification,
} from '../../kernels/index.js';
import type { AccessCounts } from '../hardware/access-counts.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import { type MultiplyAdd, multiplyAddFloat32, multiplyAddInt32 } from './arithmetic.js';
import { outputStationaryFold } from './output-stationary.js';
import { preloadingTiles, type Tile } from './preload.js';
import { createSrams, type Srams, type StoredLayer } from './srams.js';
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
}

export type Int8ArrayLayer = Pick<
  Int8ConvolutionSpecification,
  'shape' | 'inputZeroPoint' | 'weights' | 'weightZeroPoints' | 'bias'
>;

export type Float32ArrayLayer = Pick<Float32ConvolutionSpecification, 'shape' | 'weights' | 'bias'>;

/**
 * Computes one image of an int8 layer on a systolic array, element by element and cycle by cycle: slow, meant for
 * small arrays, and the proof of the closed forms of `layerTiming`. Operands enter the array with their zero points
 * subtracted; accumulators are 32 bits wide and wrap around, so the sums are the kernels', to the bit. Windows are
 * taken in network order (input channel, ky, kx), folds in SCALE-Sim's (column folds outer, row folds inner).
 *
 * @param input height × width × channels, channels innermost
 * @throws InputError when a length does not fit the shape
 */
export function runInt8Layer(
  layer: Int8ArrayLayer,
  input: Uint8Array,
  array: SystolicArray,
  { weightRead }: ArrayRunOptions = {},
): ArrayRun<Int32Array> {
  const stored: StoredLayer = { ...layer, input, windowOrder: 'channel-first' };
  const srams = createSrams(checked(stored), weightRead);
  const cycles = runLayer(srams, layer.shape.groups, array, multiplyAddInt32);
  return { accumulators: Int32Array.from(srams.sums), cycles, accesses: srams.counts() };
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
  { weightRead }: ArrayRunOptions = {},
): ArrayRun<Float32Array> {
  const stored: StoredLayer = {
    ...layer,
    input,
    inputZeroPoint: 0,
    weightZeroPoints: new Int32Array(layer.shape.output.channels),
    windowOrder: 'channel-last',
  };
  const srams = createSrams(checked(stored), weightRead);
  const cycles = runLayer(srams, layer.shape.groups, array, multiplyAddFloat32);
  return { accumulators: Float32Array.from(srams.sums), cycles, accesses: srams.counts() };
}

/** @returns cycles of all groups, one after the other */
function runLayer(
  srams: Srams,
  groups: number,
  array: SystolicArray,
  multiplyAdd: MultiplyAdd,
): number {
  const groupNumbers = Array.from({ length: groups }, (_, group) => group);
  if (array.dataflow === 'output-stationary') {
    return sum(groupNumbers, (group) => outputStationaryGroup(srams, group, array, multiplyAdd));
  }
  const portsOf =
    array.dataflow === 'weight-stationary' ? weightStationaryPorts : inputStationaryPorts;
  const tiles = groupNumbers.flatMap((group) =>
    tilesOf(portsOf(srams, srams.group(group)), srams.window, array),
  );
  return array.dataflow === 'weight-stationary' && array.preload
    ? preloadingTiles(tiles, array, multiplyAdd)
    : sum(tiles, (tile) => stationaryFold(tile.ports, tile, array, multiplyAdd));
}

function outputStationaryGroup(
  srams: Srams,
  group: number,
  array: SystolicArray,
  multiplyAdd: MultiplyAdd,
): number {
  const ports = srams.group(group);
  let cycles = 0;
  for (let n = 0; n < srams.filters; n += array.columns) {
    for (let m = 0; m < srams.positions; m += array.rows) {
      cycles += outputStationaryFold(srams, ports, m, n, array, multiplyAdd);
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

function checked(layer: StoredLayer): StoredLayer {
  const { shape, input, weights, weightZeroPoints, bias } = layer;
  const expected = {
    input: [input.length, featureCount(shape.input)],
    weights: [weights.length, weightCount(shape)],
    weightZeroPoints: [weightZeroPoints.length, shape.output.channels],
    bias: [bias.length, shape.output.channels],
  };
  for (const [name, [found, wanted]] of Object.entries(expected)) {
    if (found !== wanted) {
      throw new InputError(`Systolic array: ${name} must hold ${wanted} values, not ${found}.`);
    }
  }
  return layer;
}
