import { join } from 'node:path';
import type { InferOutput } from '../campaign/index.js';
import {
  encodeNpyArray,
  InputError,
  type NpyArray,
  type NpyArrayOf,
  requireSafeOutputs,
} from '../core/index.js';

/** An output of a network as a file of its own. */
export interface FileOutput extends InferOutput {
  readonly file: string;
  /** As `.npy`, in the output's own type. */
  readonly bytes: Uint8Array;
}

/**
 * The files of a network's outputs: the first in `output`, each by its name in `outputDir`, in which characters other
 * than letters, digits, `.`, `_` and `-` become `_`.
 *
 * @param read files that must not be written
 * @throws InputError when two outputs have one file, or a file is one that was read
 */
export function fileOutputs(
  outputs: readonly InferOutput[],
  {
    output,
    outputDir,
    read,
  }: {
    readonly output: string | undefined;
    readonly outputDir: string | undefined;
    readonly read: readonly (string | undefined)[];
  },
): FileOutput[] {
  const named = outputDir === undefined ? [] : outputs.map((one) => inFolder(one, outputDir));
  for (const { name, file } of named) {
    const other = named.find((one) => one.file === file && one.name !== name);
    if (!other) continue;
    throw new InputError(
      `--output-dir: outputs "${name}" and "${other.name}" would both be ${file}; write the first with --output, or name them otherwise in the model`,
    );
  }
  requireSafeOutputs(
    named.map(({ file }) => ['--output-dir', file] as const),
    read,
  );
  const first = output === undefined ? [] : [{ ...outputs[0], file: output }];
  return [...first, ...named].map((one) => ({ ...one, bytes: encodeNpyArray(arrayOf(one)) }));
}

function inFolder(output: InferOutput, folder: string) {
  return { ...output, file: join(folder, `${output.name.replace(/[^A-Za-z0-9._-]/g, '_')}.npy`) };
}

/** Numbers in the type that the file gives an output; float16 has none of its own, and stays float32. */
function arrayOf({
  elementType,
  shape,
  data,
}: InferOutput): Exclude<NpyArray, NpyArrayOf<'float16'>> {
  switch (elementType) {
    case 'float16':
    case 'float32':
      return { elementType: 'float32', shape, data };
    case 'float64':
      return { elementType, shape, data: Float64Array.from(data) };
    case 'int8':
      return { elementType, shape, data: Int8Array.from(data) };
    case 'bool':
    case 'uint8':
      return { elementType, shape, data: Uint8Array.from(data) };
    case 'int16':
      return { elementType, shape, data: Int16Array.from(data) };
    case 'uint16':
      return { elementType, shape, data: Uint16Array.from(data) };
    case 'int32':
      return { elementType, shape, data: Int32Array.from(data) };
    case 'uint32':
      return { elementType, shape, data: Uint32Array.from(data) };
    case 'int64':
      return { elementType, shape, data: BigInt64Array.from(data, BigInt) };
    case 'uint64':
      return { elementType, shape, data: BigUint64Array.from(data, BigInt) };
  }
}
