import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../core/index.js';
import { type ImageSet, loadCifar10, normalize, unpackCifar10 } from '../../models/index.js';

describe('loadCifar10', () => {
  test('reads the test images of the installed package', () => {
    const { count, images, labels } = loadCifar10({ split: 'test' });
    expect(count).toBe(10_000);
    expect(images.length).toBe(10_000 * 3072);
    expect(Array.from(labels.subarray(0, 10))).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
    for (let label = 0; label < 10; label += 1) {
      expect(labels.filter((found) => found === label).length).toBe(1000);
    }
  });

  test('reads training images whose means and deviations are the published ones', () => {
    const { count, images } = loadCifar10({ split: 'train' });
    expect(count).toBe(50_000);
    const published = [
      [0.4914, 0.247],
      [0.4822, 0.2435],
      [0.4465, 0.2616],
    ];
    for (const [channel, [mean, deviation]] of published.entries()) {
      let sum = 0;
      let squares = 0;
      for (let image = 0; image < count; image += 1) {
        const start = (image * 3 + channel) * 1024;
        for (let pixel = start; pixel < start + 1024; pixel += 1) {
          const value = images[pixel] / 255;
          sum += value;
          squares += value * value;
        }
      }
      const total = count * 1024;
      expect(sum / total).toBeCloseTo(mean, 4);
      expect(Math.sqrt(squares / total - (sum / total) ** 2)).toBeCloseTo(deviation, 4);
    }
  });

  test('reads the first images of the canonical files when asked for no more', () => {
    const folder = unpackCifar10();
    const some = loadCifar10({ folder, split: 'train', limit: 10_002 });
    expect(some.count).toBe(10_002);
    const { images, labels } = loadCifar10({ split: 'train', limit: 20_000 });
    // Not toEqual, which takes minutes for 30 million values.
    expect(Buffer.compare(some.images, images.subarray(0, 10_002 * 3072))).toBe(0);
    expect(Buffer.compare(some.labels, labels.subarray(0, 10_002))).toBe(0);
  });

  test('decodes into an empty cache, and again over a damaged file', () => {
    const cacheFolder = mkdtempSync(join(tmpdir(), 'bitcell-'));
    const file = join(cacheFolder, 'test_batch.bin');
    writeFileSync(file, 'damaged');
    loadCifar10({ split: 'test', limit: 1, cacheFolder });
    expect(readdirSync(cacheFolder)).toEqual(['test_batch.bin']);
    // As torchvision for Ruby lists it for the file of the CIFAR-10 binary version.
    expect(sha256Hex(readFileSync(file))).toBe(
      '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
    );
  });

  test('needs no cache', () => {
    const cacheFolder = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'a file');
    writeFileSync(cacheFolder, '');
    const { images } = loadCifar10({ split: 'test', limit: 1, cacheFolder });
    expect(images).toEqual(loadCifar10({ split: 'test', limit: 1 }).images);
    expect(() => unpackCifar10(cacheFolder)).toThrow(`Cannot write ${cacheFolder}`);
  });

  test('refuses a folder with another file of that name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
    writeFileSync(join(folder, 'test_batch.bin'), new Uint8Array(3073));
    expect(() => loadCifar10({ folder, split: 'test' })).toThrow(
      /test_batch\.bin is not CIFAR-10's test_batch\.bin: its SHA-256 is [0-9a-f]{64}, expected 8e2eb146/,
    );
  });

  test('names the file that a folder lacks', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
    expect(() => loadCifar10({ folder, split: 'test' })).toThrow(
      `Cannot read ${join(folder, 'test_batch.bin')}: no such file or folder.`,
    );
  });
});

test('normalize computes (pixel / 255 - mean) / deviation as PyTorch does', () => {
  const set: ImageSet = {
    count: 1,
    images: Uint8Array.from({ length: 3072 }, (_, index) => index % 256),
    labels: Uint8Array.of(0),
  };
  const values = normalize(set, Uint32Array.of(0));
  // Bits of PyTorch 1.13's (x.float() / 255 - mean) / std for bytes 0, 1, 100 and 255 of each channel.
  const bits = new Uint32Array(values.buffer);
  const picked = [0, 1024, 2048].flatMap((start) =>
    [0, 1, 100, 255].map((byte) => bits[start + byte].toString(16)),
  );
  expect(picked).toEqual([
    'bffea713',
    'bffc9ed3',
    'becdb7f4',
    '4003c873',
    'bffd7a10',
    'bffb6a55',
    'bebd54b8',
    '40081864',
    'bfda7891',
    'bfd88d5a',
    'be54b825',
    '400769b1',
  ]);
});
