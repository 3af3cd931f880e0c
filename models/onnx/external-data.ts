import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import {
  codeOf,
  excerpt,
  fileError,
  fileProblem,
  InputError,
  ModelError,
  requireMemory,
} from '../../core/index.js';
import type { ExternalData } from './model.js';
import type { onnx } from './proto/onnx.js';

/** Reads the data of tensors that a model keeps in files beside it. */
export interface ExternalReader {
  /**
   * The data of a tensor, in a buffer of its own; undefined when its file is missing and not required: then the caller
   * may take as much memory for zeros.
   *
   * @param byteLength what its dimensions and element type take
   * @param what names the tensor in errors
   * @throws ModelError when it is not told where in the model's folder
   * @throws InputError when the file cannot be read, is too short, or all data takes more memory than the limit
   */
  read(
    tensor: onnx.TensorProto.$Properties,
    byteLength: number,
    what: string,
  ): ArrayBuffer | undefined;
  /** What was read so far; undefined: nothing. */
  summary(): ExternalData | undefined;
}

/** Bytes that are read at once; the system reads no more than 2^31 − 1. */
const CHUNK_BYTES = 2 ** 30;

/**
 * @param folder of the model's file; undefined where it has none, and no data beside it
 * @param isRequired whether a missing file is an error
 */
export function externalReader(folder: string | undefined, isRequired: boolean): ExternalReader {
  const digest = createHash('sha256');
  const files = new Map<string, number>();
  let taken = 0;
  let read = 0;

  /** Counts memory for all data together, before it is taken. */
  function take(byteLength: number, what: string): void {
    const inFiles = [...files.values()].reduce((sum, size) => sum + size, 0);
    requireMemory(taken + byteLength, `${what}: the data of tensors in other files`, inFiles);
    taken += byteLength;
  }

  function readFile(path: string, offset: number, byteLength: number, what: string): ArrayBuffer {
    const descriptor = openSync(path, 'r');
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile()) {
        throw new InputError(`${what} keeps its data in ${path}, which is not a file`);
      }
      if (offset + byteLength > status.size) {
        throw new InputError(
          `${what} keeps ${byteLength} bytes of data from byte ${offset} on in ${path}, which has ${status.size} bytes; is it cut off, or of another model?`,
        );
      }
      files.set(path, status.size);
      take(byteLength, what);
      const data = new Uint8Array(byteLength);
      for (let place = 0; place < byteLength; ) {
        const chunk = data.subarray(place, place + CHUNK_BYTES);
        const count = readSync(descriptor, chunk, 0, chunk.length, offset + place);
        if (count === 0) throw new InputError(`${what}: ${path} ended while it was read`);
        place += count;
      }
      digest.update(data);
      read += byteLength;
      return data.buffer;
    } finally {
      closeSync(descriptor);
    }
  }

  function absent(byteLength: number, what: string): undefined {
    take(byteLength, what);
  }

  return {
    read(tensor, byteLength, what) {
      const entries = new Map(
        (tensor.externalData ?? []).map(({ key, value }) => [key ?? '', value ?? '']),
      );
      const location = entries.get('location') ?? '';
      const offset = byteCount(entries.get('offset') ?? '0', 'offset', what);
      const length = entries.get('length');
      if (length !== undefined && byteCount(length, 'length', what) !== byteLength) {
        throw new ModelError(
          `${what} keeps ${excerpt(length)} bytes in another file, but its dimensions and type take ${byteLength}`,
        );
      }
      if (folder === undefined) {
        if (!isRequired) return absent(byteLength, what);
        throw new ModelError(
          `${what} keeps its data in another file; save the model with its data inside one file`,
        );
      }
      requireInside(location, what);
      try {
        const root = realpathSync(folder);
        const path = realpathSync(join(root, location));
        if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) {
          throw new ModelError(
            `${what} keeps its data in "${excerpt(location)}", a link that leads out of the model's folder; put the file itself beside the model`,
          );
        }
        return readFile(path, offset, byteLength, what);
      } catch (error) {
        if (error instanceof InputError) throw error;
        if (!isRequired && codeOf(error) === 'ENOENT') return absent(byteLength, what);
        const where = join(folder, location);
        throw fileError(
          `${what} keeps its data in another file: cannot read ${where}: ${fileProblem(error)}.`,
          error,
        );
      }
    },
    summary: () => (read === 0 ? undefined : { sha256: digest.copy().digest('hex'), bytes: read }),
  };
}

function byteCount(text: string, role: string, what: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new ModelError(
    `${what} keeps its data in another file with ${role} "${excerpt(text)}", which is no number of bytes`,
  );
}

/** Checks that a location is a path downwards from the model's folder, without control characters. */
function requireInside(location: string, what: string): void {
  const isPath = location !== '' && !/\p{Cc}/u.test(location) && location.length <= 4096;
  const goesDown =
    !/^(?:[/\\]|[a-zA-Z]:)/.test(location) && !location.split(/[/\\]/).includes('..');
  if (isPath && goesDown) return;
  const shown = isPath ? `"${excerpt(location)}"` : 'a file without a proper name';
  throw new ModelError(
    `${what} keeps its data in ${shown}; Bitcell reads data from the model's own folder alone, by a relative path without ".."`,
  );
}
