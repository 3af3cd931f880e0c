import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bitcellJson } from './command.js';

test('data names a folder with the binary files of CIFAR-10', async () => {
  const { folder } = await bitcellJson(['data']);
  const batches = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
  expect(readdirSync(String(folder))).toEqual(
    expect.arrayContaining([...batches, 'test_batch.bin']),
  );
});
