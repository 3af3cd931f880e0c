import { isRoundedDown } from '../../graph/attributes.js';
import type { ImportedGraph } from '../../import/import.js';
import {
  type BinaryLayer,
  type Float32Layer,
  type Float32Network,
  inputsOf,
  isOnArray,
  type Layer,
} from '../../network.js';
import { isMoving } from '../../operators/index.js';

/** Smallest magnitude of a constant that is its own scale. */
const SMALLEST_CONSTANT = 2 ** -40;

/** What of a float32 network is computed on integers once it is quantised; all else stays in float32. */
export interface QuantizedPart {
  readonly layers: ReadonlySet<Layer>;
  /** Indices of the tensors that hold integers. */
  readonly tensors: ReadonlySet<number>;
  /** Those of them that such layers make: all that takes them takes the integers' numbers. */
  readonly made: ReadonlySet<number>;
}

/**
 * The layers on the array, and behind them those that onnxruntime computes on integers between DequantizeLinear and
 * QuantizeLinear nodes, or that only move values. Functions, normalisations and islands stay in float32, as does what
 * follows them up to the next layer on the array: their results have ranges that 8 bits hold badly.
 */
export function quantizedPart(
  network: Float32Network,
  { tensorOf, products }: Pick<ImportedGraph, 'tensorOf' | 'products'>,
): QuantizedPart {
  const layers = new Set<Layer>();
  const tensors = new Set<number>();
  const made = new Set<number>();
  for (const layer of network.layers) {
    if (!isOnArray(layer) && !isFused(layer, made)) continue;
    layers.add(layer);
    made.add(layer.output);
    for (const tensor of [...inputsOf(layer), layer.output]) tensors.add(tensor);
    const input = tensorOf.get(products.get(layer.name)?.inputs[0] ?? '');
    if (input !== undefined) tensors.add(input);
  }
  // What moves values into another layout is no node of the file: quantised is what it moves.
  const named = new Set(tensorOf.values());
  for (const layer of network.layers.toReversed()) {
    if (!isMoving(layer) || named.has(layer.output) || !tensors.has(layer.output)) continue;
    for (const tensor of inputsOf(layer)) tensors.add(tensor);
  }
  return { layers, tensors, made };
}

/** The tensors whose values decide the ranges of these: those that only moving layers join to them, too. */
export function observedTensors(
  { layers }: Float32Network,
  tensors: ReadonlySet<number>,
): ReadonlySet<number> {
  const first = new Map<number, number>();
  const firstOf = (tensor: number) => first.get(tensor) ?? tensor;
  for (const layer of layers) {
    if (isMoving(layer)) first.set(layer.output, firstOf(inputsOf(layer)[0]));
  }
  const wanted = new Set([...tensors].map(firstOf));
  const all = layers.flatMap((layer) => [...inputsOf(layer), layer.output]);
  return new Set(all.filter((tensor) => wanted.has(firstOf(tensor))));
}

function isFused(layer: Float32Layer, made: ReadonlySet<number>): boolean {
  const taken = inputsOf(layer).some((tensor) => made.has(tensor));
  if (!taken) return false;
  if (isMoving(layer)) return true;
  switch (layer.kind) {
    case 'average-pool':
      // Of windows beyond the padding, onnxruntime's integer operator counts more places than its float32 one.
      return isRoundedDown(layer.shape);
    case 'add':
    case 'clip':
    case 'concat':
    case 'global-average-pool':
    case 'leaky-relu':
      return true;
    case 'softmax':
      return !layer.logarithm;
    case 'function':
      return layer.function === 'sigmoid';
    case 'binary':
      return isFusedBinary(layer);
    default:
      return false;
  }
}

/** Of constants only a single number is the same in 8 bits. */
function isFusedBinary({ operation, constant }: BinaryLayer): boolean {
  if (operation !== 'add' && operation !== 'multiply') return false;
  if (!constant) return true;
  const [value] = constant.values;
  return (
    constant.values.length === 1 &&
    Number.isFinite(value) &&
    (value === 0 || Math.abs(value) >= SMALLEST_CONSTANT)
  );
}
