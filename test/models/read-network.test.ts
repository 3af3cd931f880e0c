import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../core/index.js';
import {
  arrayLayers,
  encodeOnnx,
  type OnnxModel,
  readNetwork,
  writeFloat32,
} from '../../models/index.js';
import { randomInputs, runOnnx } from './onnxruntime.js';
import {
  changed,
  initializers,
  int64s,
  ints,
  layers,
  node,
  plain,
  read,
  reals,
  refusal,
} from './plain-network.js';

describe('readNetwork', () => {
  test('names layers by their weights, or else by their nodes', () => {
    expect(read(plain).layers.map(({ name, kind }) => [name, kind])).toEqual([
      ['conv1', 'convolution'],
      ['features.pool1', 'max-pool'],
      ['reshape', 'flatten'],
      ['fc1', 'fully-connected'],
    ]);
  });

  test('numbers layers that would share a name', () => {
    const nodes = [
      node('Relu', ['a'], 'b'),
      node('MaxPool', ['b'], 'c', { kernel_shape: ints(1, 1) }, 'pool'),
      node('MaxPool', ['c'], 'd', { kernel_shape: ints(1, 1) }, 'pool'),
    ];
    const first = node('Conv', ['input', 'conv1.weight'], 'a');
    const { layers } = read(
      changed(
        {},
        {
          nodes: [first, ...nodes],
          outputs: [{ name: 'd', elementType: 'float32', dims: undefined }],
        },
      ),
    );
    expect(layers.map(({ name }) => name)).toEqual(['conv1', 'pool', 'pool_2']);
  });

  test('keeps what batch normalisation computes when it folds it', async () => {
    const network = read(plain);
    expect(arrayLayers(network).map(({ relu }) => relu)).toEqual([true, false]);
    const inputs = randomInputs(network, 4, 4);
    const original = await runOnnx(encodeOnnx(plain), network, inputs, 'disabled');
    const folded = await runOnnx(writeFloat32(network), network, inputs, 'disabled');
    const expected = original.get('logits')!;
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(1);
    for (const [index, value] of folded.get('logits')!.entries()) {
      expect(value).toBeCloseTo(expected[index], 4);
    }
  });

  test('takes name and checksum from the file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'tiny.onnx');
    const bytes = encodeOnnx(plain);
    writeFileSync(file, bytes);
    const { name, checksum } = readNetwork(file);
    expect([name, checksum]).toEqual(['tiny', sha256Hex(bytes)]);
    expect(readNetwork(bytes).name).toBe('main_graph');
    expect(readNetwork(file, 'other').name).toBe('other');
  });

  test('reads constants that are nodes, and a fixed batch', () => {
    const shape = node('Constant', [], 'shape', {
      value: { type: 'tensor', value: int64s('', 1, 12) },
    });
    const model = changed(
      {},
      {
        nodes: [shape, ...layers],
        initializers: initializers.filter(({ name }) => name !== 'shape'),
        inputs: [{ name: 'input', elementType: 'float32', dims: [1, 2, 4, 4] }],
      },
    );
    expect({ ...read(model), checksum: '' }).toEqual({ ...read(plain), checksum: '' });
  });
});

describe('readNetwork refuses', () => {
  test('a missing file', () => {
    expect(() => readNetwork('/nowhere/x.onnx')).toThrow(
      'Cannot read /nowhere/x.onnx: no such file or folder.',
    );
  });

  test('operators it does not know, by node', () => {
    expect(refusal(changed({ relu: { domain: 'com.example' } }))).toMatch(
      /^net: node "relu" \(com\.example\.Relu\) is an unsupported operator; /,
    );
  });

  test.each<[string, OnnxModel, string]>([
    [
      'a missing initialiser',
      changed({}, { initializers: initializers.slice(1) }),
      'net: node "/conv1/Conv_output" (Conv) takes "conv1.weight", which is neither an initialiser nor made by an earlier node',
    ],
    [
      'weights of another type',
      changed(
        {},
        {
          initializers: [
            {
              ...reals('', 3, 2, 3, 3),
              name: 'conv1.weight',
              elementType: 'int8',
              data: new Int8Array(54),
            },
            ...initializers.slice(1),
          ],
        },
      ),
      'net: node "/conv1/Conv_output" (Conv) has a weight "conv1.weight" of type int8, expected float32',
    ],
    [
      'weights of another shape',
      changed({}, { initializers: [reals('conv1.weight', 3, 3, 3, 3), ...initializers.slice(1)] }),
      'net: node "/conv1/Conv_output" (Conv) has weights of dimensions [3, 3, 3, 3], which do not fit 2 input channels in 1 groups',
    ],
    [
      'parameters for another number of channels',
      changed({
        normalized: {
          inputs: ['/conv1/Conv_output', 'fc1.bias', 'norm.bias', 'norm.mean', 'norm.var'],
        },
      }),
      'net: node "normalized" (BatchNormalization) has a scale "fc1.bias" of 5 values for 3 channels',
    ],
    [
      'an unknown kind of automatic padding',
      changed({
        '/conv1/Conv_output': {
          attributes: new Map([['auto_pad', { type: 'string', value: 'SAME' }]]),
        },
      }),
      'net: node "/conv1/Conv_output" (Conv) has auto_pad = SAME, which is not one of ONNX\'s',
    ],
    [
      'joining maps of other sizes',
      changed({ kept: { opType: 'Concat', inputs: ['pooled', 'relu'] } }),
      'net: node "kept" (Concat) joins tensors of shapes 1×3×2×2 and 1×3×4×4, which differ in more than one axis',
    ],
    [
      'bounds that are no constants',
      changed({ kept: { opType: 'Clip', inputs: ['pooled', 'relu'] } }),
      'net: node "kept" (Clip) has a min "relu" that is not one constant float',
    ],
    [
      'a window larger than its input',
      changed({ pooled: { attributes: new Map([['kernel_shape', ints(5, 2)]]) } }),
      'net: node "/features/pool1/MaxPool" (MaxPool) has a 5×2 window larger than its padded 4×4 input',
    ],
    [
      'a Gemm of other inputs',
      changed(
        {},
        {
          initializers: [
            ...initializers.slice(0, 6),
            reals('onnx::Gemm_12', 11, 5),
            reals('fc1.bias', 5),
          ],
        },
      ),
      'net: node "/fc1/Gemm" (Gemm) has weights of dimensions [11, 5], which do not fit 12 inputs',
    ],
    [
      'feature maps into a Gemm',
      changed({ result: { inputs: ['pooled', 'onnx::Gemm_12', 'fc1.bias'] } }),
      'net: node "/fc1/Gemm" (Gemm) takes a tensor of 4 dimensions, expected 2 (batch included)',
    ],
    [
      'an input of unknown size',
      changed({}, { inputs: [{ name: 'input', elementType: 'float32', dims: ['n', 2, 'h', 4] }] }),
      'net: input "input" has shape [n, 2, h, 4], of which sizes are open; give them: --input-shape input=1,2,SIZE,4',
    ],
    [
      'an old operator set',
      { ...plain, opsets: new Map([['', 6]]) },
      'net uses operator set 6; Bitcell reads 7 and later ones',
    ],
    [
      'an operator set newer than any known',
      { ...plain, opsets: new Map([['', 27]]) },
      'net uses operator set 27; the newest one that Bitcell reads is 26, so export the model for that',
    ],
    [
      "a newer operator set of onnxruntime's",
      {
        ...plain,
        opsets: new Map([
          ['', 13],
          ['com.microsoft', 2],
        ]),
      },
      'net uses operator set com.microsoft 2; the newest one that Bitcell reads is 1, so export the model for that',
    ],
    [
      'a newer IR version',
      { ...plain, irVersion: 14 },
      'net has IR version 14; Bitcell reads up to 13',
    ],
  ])('%s', (_, model, message) => {
    expect(refusal(model)).toBe(message);
  });
});
