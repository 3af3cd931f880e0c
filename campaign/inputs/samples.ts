import { InputError, readFloat32Npy, requireMemory } from '../../core/index.js';
import type { Network } from '../../models/index.js';
import type { InputFile } from '../../workload/index.js';

/** Samples for a network, in float32. */
export interface Samples {
  readonly samples: number;
  /** Values of one: all inputs of the network one behind the other, in the order of the file's graph. */
  readonly sampleLength: number;
  /** samples × sampleLength. */
  readonly values: Float32Array;
}

/** An input of a network: its name, and the dimensions of one sample. */
interface NetworkInput {
  readonly name: string;
  readonly dims: readonly number[];
}

function networkInputs({ tensors, input }: Network): NetworkInput[] {
  const { name, shape } = tensors[input];
  const { channels, height, width } = shape;
  return [{ name, dims: [channels, height, width] }];
}

/**
 * Read samples for a network from `.npy` files of any number type: as many along the first axis, each shaped as the
 * network's own input.
 *
 * @throws InputError naming file and shapes when they are not what the network takes, or an input that has no file
 */
export function readSamples(network: Network, given: readonly InputFile[]): Samples {
  const inputs = networkInputs(network);
  requireKnown(network, inputs, given);
  const files = inputs.map((input) => fileOf(network, input, inputs, given));
  const arrays = files.map((file) => readFloat32Npy(file));
  for (const [place, input] of inputs.entries()) {
    requireShape(network, input, arrays[place].shape, files[place]);
  }
  const [samples] = arrays[0].shape;
  const other = arrays.findIndex(({ shape }) => shape[0] !== samples);
  if (other >= 0) {
    throw new InputError(
      `${files[0]} has ${samples} samples and ${files[other]} ${arrays[other].shape[0]}: a network takes as many of each input`,
    );
  }
  if (arrays.length === 1) {
    return { samples, sampleLength: lengthOf(inputs[0].dims), values: arrays[0].data };
  }
  return joined(
    samples,
    arrays.map(({ data }) => data),
    inputs.map(({ dims }) => lengthOf(dims)),
  );
}

function fileOf(
  network: Network,
  { name }: NetworkInput,
  inputs: readonly NetworkInput[],
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

function expected(network: Network, inputs: readonly NetworkInput[]): string {
  return `${network.name} takes ${inputs.map(({ name }) => `--input ${name}=FILE`).join(' ')}`;
}

function requireKnown(
  network: Network,
  inputs: readonly NetworkInput[],
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

function requireShape(
  network: Network,
  { dims }: NetworkInput,
  shape: readonly number[],
  file: string,
): void {
  if (shape.length === dims.length + 1 && dims.every((size, axis) => shape[axis + 1] === size)) {
    if (shape[0] > 0) return;
    throw new InputError(`${file} has the shape ${shape.join(' × ')}: it holds no sample`);
  }
  throw new InputError(
    `${file} has the shape ${shape.join(' × ')}, but ${network.name} takes samples × ${dims.join(' × ')}`,
  );
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
