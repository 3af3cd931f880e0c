import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError, packageRoot } from '../../core/index.js';
import { resolveModel, writeFloat32, ZOO, zooThresholds } from '../../models/index.js';
import { float32Networks } from './networks.js';

test('resolveModel reads the file that a path names', () => {
  const [network] = fc.sample(float32Networks, 1);
  const file = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'mine.onnx');
  writeFileSync(file, writeFloat32(network));
  expect(resolveModel(file)).toMatchObject({ name: 'mine', tensors: network.tensors });
  expect(zooThresholds(file)).toBeUndefined();
});

test('resolveModel names what there is when there is no such network', () => {
  expect(() => resolveModel('alxnet')).toThrow(
    new InputError(
      'There is no network "alxnet": give alexnet, vgg16 or the path of an ONNX file.',
    ),
  );
});

test.each(ZOO)('%s is quantised and of the right shape, or its absence is said', (name) => {
  const file = join(packageRoot(), 'models', 'zoo', `${name}.onnx`);
  if (existsSync(file)) {
    const network = resolveModel(name);
    expect(network).toMatchObject({ name, format: 'int8' });
    expect(network.tensors[network.input].shape).toEqual({ channels: 3, height: 32, width: 32 });
    expect(network.tensors[network.output].shape).toEqual({ channels: 10, height: 1, width: 1 });
  } else {
    expect(() => resolveModel(name)).toThrow(
      `The network ${name} is not part of this installation (${file} is missing); give the path of an ONNX file instead.`,
    );
  }
});
