import {
  InputError,
  type NpyFloat32Array,
  readFileChecked,
  readFloat32Npy,
  readNpyHeader,
  requireMemory,
} from '../../core/index.js';
import {
  type DataShape,
  type Network,
  type NetworkValue,
  networkInputs,
} from '../../models/index.js';
import type { InputFile } from '../../workload/index.js';

/** Samples for a network, in float32. */
export interface Samples {
  readonly samples: number;
  /** Values of one: all inputs of the network one behind the other, in the order of the file's graph. */
  readonly sampleLength: number;
  /** samples × sampleLength. */
  readonly values: Float32Array;
}

/** The shapes of files of samples, from which open sizes of a network are taken. */
export function dataShapesOf(inputs: readonly InputFile[]): DataShape[] {
  return inputs.map(({ name, file }) => ({
    name,
    shape: readNpyHeader(readFileChecked(file), file).shape,
  }));
}

/** An array of samples for an input of a network. */
export interface InputArray extends InputFile {
  readonly array: NpyFloat32Array;
}

/**
 * Read samples for a network from `.npy` files of any number type: as many along the first axis, each shaped as the
 * network's own input.
 *
 * @throws InputError naming file and shapes when they are not what the network takes, or an input that has no file
 */
export function readSamples(network: Network, given: readonly InputFile[]): Samples {
  requireOneOfEach(network, given);
  return joinSamples(
    network,
    given.map((one) => ({ ...one, array: readFloat32Npy(one.file) })),
  );
}

/**
 * Samples for a network of one array for each input.
 *
 * @throws InputError as `readSamples` does
 */
export function joinSamples(network: Network, given: readonly InputArray[]): Samples {
  requireOneOfEach(network, given);
  const inputs = networkInputs(network);
  const ordered = inputs.map((input) => arrayOf(input, given));
  const counts = inputs.map((input, place) => countOf(network, input, ordered[place]));
  const [samples] = counts;
  const other = counts.findIndex((count) => count !== samples);
  if (other >= 0) {
    throw new InputError(
      `${ordered[0].file} has ${samples} samples and ${ordered[other].file} ${counts[other]}: a network takes as many of each input`,
    );
  }
  if (ordered.length === 1) {
    return { samples, sampleLength: lengthOf(inputs[0].dims), values: ordered[0].array.data };
  }
  return joined(
    samples,
    ordered.map(({ array }) => array.data),
    inputs.map(({ dims }) => lengthOf(dims)),
  );
}

function arrayOf(input: NetworkValue, given: readonly InputArray[]): InputArray {
  const found = given.find(({ name = input.name }) => name === input.name);
  if (!found) throw new Error(`no array for ${input.name}`);
  return found;
}

function requireOneOfEach(network: Network, given: readonly InputFile[]): void {
  const inputs = networkInputs(network);
  requireKnown(network, inputs, given);
  for (const input of inputs) fileOf(network, input, inputs, given);
}

function fileOf(
  network: Network,
  { name }: NetworkValue,
  inputs: readonly NetworkValue[],
  given: readonly InputFile[],
): string {
  const named = given.filter((one) => one.name === name || one.name === undefined);
  if (named.length > 1) {
    throw new InputError(
      inputs.length === 1
        ? `${network.name} takes one input, "${name}", but ${named.length} files are given for it`
        : `--input: "${name}" has ${named.length} files; ${expected(network, inputs)}`,
    );
  }
  if (named.length === 0) {
    throw new InputError(`--input: "${name}" has no file; ${expected(network, inputs)}`);
  }
  if (named[0].name === undefined && inputs.length > 1) {
    throw new InputError(
      `--input ${named[0].file}: it says no input; ${expected(network, inputs)}`,
    );
  }
  return named[0].file;
}

function expected(network: Network, inputs: readonly NetworkValue[]): string {
  return `${network.name} takes ${inputs.map(({ name }) => `--input ${name}=FILE`).join(' ')}`;
}

function requireKnown(
  network: Network,
  inputs: readonly NetworkValue[],
  given: readonly InputFile[],
): void {
  const unknown = given.find(
    ({ name }) => name !== undefined && !inputs.some((input) => input.name === name),
  );
  if (!unknown) return;
  throw new InputError(
    `--input ${unknown.name}=${unknown.file}: there is no such input; ${expected(network, inputs)}`,
  );
}

/** How many samples an array holds: one behind the other along the first axis of a sample. */
function countOf(network: Network, { dims }: NetworkValue, { array, file }: InputArray): number {
  const { shape } = array;
  const [along = 1, ...others] = dims;
  const fits =
    shape.length === Math.max(1, dims.length) &&
    others.every((size, axis) => shape[axis + 1] === size) &&
    shape[0] % along === 0;
  if (!fits) {
    const first = along === 1 ? 'samples' : `samples · ${along}`;
    throw new InputError(
      `${file} has the shape ${shape.join(' × ')}, but ${network.name} takes ${[first, ...others].join(' × ')}`,
    );
  }
  if (shape[0] > 0) return shape[0] / along;
  throw new InputError(`${file} has the shape ${shape.join(' × ')}: it holds no sample`);
}

function lengthOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** All inputs of a sample one behind the other. */
function joined(
  samples: number,
  arrays: readonly Float32Array[],
  lengths: readonly number[],
): Samples {
  const sampleLength = lengths.reduce((sum, length) => sum + length, 0);
  requireMemory(
    4 * samples * sampleLength,
    `--input: ${samples} samples of ${sampleLength} values`,
    4 * samples * sampleLength,
  );
  const values = new Float32Array(samples * sampleLength);
  let start = 0;
  for (const [place, data] of arrays.entries()) {
    const length = lengths[place];
    for (let sample = 0; sample < samples; sample += 1) {
      values.set(
        data.subarray(sample * length, (sample + 1) * length),
        sample * sampleLength + start,
      );
    }
    start += length;
  }
  return { samples, sampleLength, values };
}
