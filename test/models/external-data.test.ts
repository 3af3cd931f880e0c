import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { InputError, packageRoot, setMemoryLimit } from '../../core/index.js';
import { type DecodeOptions, decodeOnnx } from '../../models/index.js';

const ModelProto = protobuf
  .loadSync(join(packageRoot(), 'models', 'onnx', 'proto', 'onnx.proto'))
  .lookupType('onnx.ModelProto');

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
const inside = join(folder, 'model');
mkdirSync(join(inside, 'parts'), { recursive: true });
const bytes = Buffer.from(Float32Array.of(0.5, -1, 2, 3).buffer);
writeFileSync(join(inside, 'weights.bin'), bytes);
writeFileSync(join(inside, 'parts', 'weights.bin'), bytes);
writeFileSync(join(folder, 'outside.bin'), bytes);
symlinkSync('parts/weights.bin', join(inside, 'link.bin'));
symlinkSync('../outside.bin', join(inside, 'out.bin'));
symlinkSync('..', join(inside, 'up'));
linkSync(join(inside, 'weights.bin'), join(inside, 'same.bin'));

function decode(
  entries: Readonly<Record<string, string>>,
  { dims = [2], ...options }: DecodeOptions & { dims?: number[] } = { folder: inside },
) {
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  const initializer = [{ name: 'w', dims, dataType: 1, dataLocation: 1, externalData }];
  const model = { irVersion: 7, opsetImport: [{ version: 13 }], graph: { initializer } };
  const file = ModelProto.encode(ModelProto.fromObject(model)).finish();
  return decodeOnnx(file, 'm.onnx', options);
}

const dataOf = (...given: Parameters<typeof decode>) => decode(...given).graph.initializers[0].data;

function refusal(...given: Parameters<typeof decode>): string {
  try {
    decode(...given);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('data in other files', () => {
  test('is read from the model’s folder, from its offset on', () => {
    expect(dataOf({ location: 'weights.bin' })).toEqual(Float32Array.of(0.5, -1));
    expect(dataOf({ location: 'parts/weights.bin', offset: '8', length: '8' })).toEqual(
      Float32Array.of(2, 3),
    );
    expect(dataOf({ location: 'link.bin', offset: '4' })).toEqual(Float32Array.of(-1, 2));
  });

  test('is known by its digest', () => {
    const { externalData } = decode({ location: 'weights.bin' });
    const sha256 = createHash('sha256').update(bytes.subarray(0, 8)).digest('hex');
    expect(externalData).toEqual({ sha256, bytes: 8 });
  });

  test('stays in the model’s folder', () => {
    const outside =
      /^m\.onnx: initialiser "w" keeps its data in .*; Bitcell reads data from the model's own folder alone/;
    for (const location of ['../outside.bin', '/etc/passwd', 'parts/../weights.bin', 'C:\\w', '']) {
      expect(refusal({ location })).toMatch(outside);
    }
    expect(refusal({ location: 'a\u001b' })).toMatch(outside);
    for (const location of ['out.bin', 'up/outside.bin']) {
      expect(refusal({ location })).toBe(
        `m.onnx: initialiser "w" keeps its data in "${location}", a link that leads out of the model's folder; put the file itself beside the model`,
      );
    }
  });

  test('must be there, and as long as the tensor', () => {
    expect(refusal({ location: 'missing.bin' })).toBe(
      `m.onnx: initialiser "w" keeps its data in another file: cannot read ${join(inside, 'missing.bin')}: no such file or folder.`,
    );
    expect(refusal({ location: 'parts' })).toMatch(/which is not a file$/);
    expect(refusal({ location: 'weights.bin', offset: '12' })).toMatch(
      /^m\.onnx: initialiser "w" keeps 8 bytes of data from byte 12 on in .*weights\.bin, which has 16 bytes; is it cut off/,
    );
    expect(refusal({ location: 'weights.bin', length: '4' })).toBe(
      'm.onnx: initialiser "w" keeps 4 bytes in another file, but its dimensions and type take 8',
    );
    expect(refusal({ location: 'weights.bin', offset: '-8' })).toMatch(/no number of bytes$/);
  });

  test('is zeros where it is missing and not needed', () => {
    const { graph, externalData } = decode(
      { location: 'missing.bin' },
      { folder: inside, weights: 'optional' },
    );
    expect(graph.initializers[0]).toMatchObject({ dims: [2], absent: true });
    expect(graph.initializers[0].data).toEqual(new Float32Array(2));
    expect(externalData).toBe(undefined);
    expect(dataOf({ location: 'weights.bin' }, { weights: 'optional' })).toHaveLength(2);
  });

  test('takes no more memory than the limit', () => {
    setMemoryLimit(200e6);
    try {
      const dims = [10_000, 10_000];
      expect(
        refusal({ location: 'missing.bin' }, { folder: inside, weights: 'optional', dims }),
      ).toMatch(
        /^m\.onnx: initialiser "w": the data of tensors in other files would take 528 MB of memory/,
      );
    } finally {
      setMemoryLimit(undefined);
    }
  });
});
