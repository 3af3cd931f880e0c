import { excerpt, ModelError } from '../../../core/index.js';
import type { OnnxValue } from '../../onnx/index.js';
import type { TensorType } from '../graph.js';

/** Values above this are a mistake in the file, not a network for an accelerator. */
export const LARGEST_VALUE = 2 ** 31 - 1;

/** The inputs of a graph for one sample. */
export interface Sample {
  readonly types: ReadonlyMap<string, TensorType>;
  /** What symbolic sizes stand for. */
  readonly symbols: ReadonlyMap<string, number>;
}

/** Where the sizes of inputs come from, for which the file has symbols. */
export interface InputSizes {
  /** Dimensions by input, the batch of 1 included: they must fit. */
  readonly inputShapes?: ReadonlyMap<string, readonly number[]> | undefined;
  /** Shapes of arrays of samples, used where they fit; one without a name is that of the only input. */
  readonly dataShapes?: readonly DataShape[] | undefined;
}

export interface DataShape {
  readonly name?: string | undefined;
  readonly shape: readonly number[];
}

/**
 * Types of a graph's inputs for one sample: the first dimension is the batch, which is 1; other symbolic sizes are
 * those that `inputShapes` gives to an input with the symbol, or else those of the data.
 *
 * @throws ModelError naming the input, its symbols and the remedy when a size stays open or does not fit
 */
export function sampleOf(
  inputs: readonly OnnxValue[],
  source: string,
  { inputShapes = new Map(), dataShapes = [] }: InputSizes,
): Sample {
  for (const name of inputShapes.keys()) {
    if (inputs.some((input) => input.name === name)) continue;
    const known = excerpt(inputs.map((input) => `"${input.name}"`).join(', '));
    throw new ModelError(`${source}: --input-shape names "${name}", but the inputs are ${known}`);
  }
  const shapes = new Map(
    inputs.flatMap((input): [string, readonly number[]][] => {
      const shape = inputShapes.get(input.name) ?? shapeOfData(input, inputs, dataShapes);
      return shape ? [[input.name, shape]] : [];
    }),
  );
  const symbols = new Map<string, number>();
  for (const input of inputs) {
    const given = shapes.get(input.name);
    if (given) bindGiven(input, given, source, symbols);
    const [batch] = input.dims ?? [];
    if (typeof batch === 'string' && batch !== '' && !symbols.has(batch)) symbols.set(batch, 1);
  }
  const types = new Map(
    inputs.map((input) => {
      const given = shapes.get(input.name);
      return [input.name, sampleType(input, given, source, symbols)];
    }),
  );
  return { types, symbols };
}

/** One sample of an array, where the input has open sizes, and the array fits. */
function shapeOfData(
  { name, dims }: OnnxValue,
  inputs: readonly OnnxValue[],
  data: readonly DataShape[],
): readonly number[] | undefined {
  const found = data.find((one) => one.name === name || (!one.name && inputs.length === 1));
  if (!found || dims?.slice(1).every(isFixed)) return undefined;
  const shape = [1, ...found.shape.slice(1)];
  const fits =
    shape.every((size) => size >= 1) &&
    (!dims ||
      (dims.length === shape.length &&
        dims.every((size, axis) => axis === 0 || !isFixed(size) || size === shape[axis])));
  return fits ? shape : undefined;
}

/** Checks the shape that was given for an input, and notes what its symbols stand for. */
function bindGiven(
  { name, dims }: OnnxValue,
  given: readonly number[],
  source: string,
  symbols: Map<string, number>,
): void {
  const refuse = (reason: string) => {
    const shown = excerpt(given.join(','));
    throw new ModelError(`${source}: --input-shape ${name}=${shown} ${reason}`);
  };
  if (given.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    refuse('must be whole numbers from 1 on');
  }
  if (given.length > 0 && given[0] !== 1) {
    refuse('must begin with 1: the first dimension counts samples, of which one is computed');
  }
  if (!dims) return;
  const wrong = dims.findIndex((size, axis) => {
    if (axis === 0) return false;
    return isFixed(size) ? size !== given[axis] : false;
  });
  if (dims.length !== given.length || wrong >= 0) {
    refuse(`does not fit the input, which has shape [${shownDims(dims)}]`);
  }
  for (const [axis, size] of dims.entries()) {
    if (typeof size !== 'string' || size === '') continue;
    const before = symbols.get(size);
    if (before !== undefined && before !== given[axis]) {
      refuse(`makes the size "${size}" ${given[axis]}, which is ${before} elsewhere`);
    }
    symbols.set(size, given[axis]);
  }
}

function sampleType(
  { name, elementType, dims }: OnnxValue,
  given: readonly number[] | undefined,
  source: string,
  symbols: ReadonlyMap<string, number>,
): TensorType {
  if (!elementType) {
    throw new ModelError(
      `${source}: input "${name}" has a type that Bitcell does not read; expected a tensor of numbers`,
    );
  }
  const stated = given ?? dims;
  if (!stated) {
    throw new ModelError(
      `${source}: input "${name}" has no stated shape; give it: --input-shape ${name}=1,…`,
    );
  }
  const sizes = stated.map((size, axis) => {
    if (axis === 0) return 1;
    return typeof size === 'string' ? symbols.get(size) : isFixed(size) ? size : undefined;
  });
  const known = sizes.filter((size) => size !== undefined);
  if (known.length < sizes.length) {
    const example = sizes.map((size) => size ?? 'SIZE').join(',');
    throw new ModelError(
      `${source}: input "${name}" has shape [${shownDims(stated)}], of which sizes are open; give them: --input-shape ${name}=${excerpt(example)}`,
    );
  }
  if (known.reduce((product, size) => product * size, 1) > LARGEST_VALUE) {
    throw new ModelError(`${source}: input "${name}" has impossible shape [${shownDims(stated)}]`);
  }
  return { elementType, dims: known };
}

/** Exporters write an open size as text, as 0 or as −1. */
function isFixed(size: number | string): size is number {
  return typeof size === 'number' && size > 0;
}

function shownDims(dims: readonly (number | string)[]): string {
  return excerpt(dims.map((size) => (size === '' ? '?' : size)).join(', '));
}
