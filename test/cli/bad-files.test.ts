import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fullyConnectedShape, sha256Hex, writeNpy } from '../../core/index.js';
import { writeThresholds } from '../../mitigation/index.js';
import {
  decodeOnnx,
  encodeOnnx,
  type Float32Network,
  quantizeNetwork,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';
import { newFolder, refusal } from './command.js';
import { FLOAT32_NETWORK, tinyThresholds, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model, float32, thresholds } = writeTinyNetwork(folder);
const images = join(folder, 'images.npy');
writeNpy(images, { shape: [1, 3, 32, 32], data: new Float32Array(3072) });

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Every command that reads a network, with a place to write to where it writes. */
function commandsOn(network: string, floats = network): readonly (readonly string[])[] {
  return [
    ['run', '--model', network, '--out', 'results'],
    ['profile', '--model', network, '--output', 'thresholds.json'],
    ['verify', '--model', network],
    ['quantize', floats, '--output', 'out.onnx'],
    ['infer', network, '--input', images, '--output', 'outputs.npy'],
    ['timing', '--model', network],
    ['map', 'create', '--model', network, '--rate', '0.1', '--output', 'map.json'],
    ['export', '--model', network, '--thresholds', thresholds, '--output', 'out.onnx'],
  ];
}

const [run, , verify, , infer, , , exported] = commandsOn(model);

describe.concurrent('networks', () => {
  test('a missing one', async () => {
    expect(await refusal(['timing', '--model', 'missing.onnx'])).toBe(
      'There is no network "missing.onnx": give alexnet, vgg16 or the path of an ONNX file.',
    );
  });

  const bytes = readFileSync(model);

  test.each(commandsOn(file('cut.onnx', bytes.subarray(0, 5000))))(
    'a cut one: %s',
    async (...args) => {
      expect(await refusal(args)).toMatch(/cut\.onnx is cut off or not an ONNX file: ./);
    },
  );

  test.each([0, 20, bytes.length - 500, bytes.length - 1])(
    'one cut after %d bytes',
    async (length) => {
      const path = file(`cut-${length}.onnx`, bytes.subarray(0, length));
      expect(await refusal(['timing', '--model', path])).toContain(
        `${path} is cut off or not an ONNX file: `,
      );
    },
  );

  test('one with an unsupported operator', async () => {
    const { graph, ...onnx } = decodeOnnx(readFileSync(float32), float32);
    const nodes = graph.nodes.map((node) =>
      node.opType === 'MaxPool' ? { ...node, opType: 'LpPools' } : node,
    );
    const path = file('lp.onnx', encodeOnnx({ ...onnx, graph: { ...graph, nodes } }));
    expect(await refusal(['timing', '--model', path])).toMatch(/lp\.onnx: .*"pool1" \(LpPools\)/);
  });

  test('one of float32 words where int8 words are needed', async () => {
    const sentence = `${float32} has float32 weights: quantise it first with "bitcell quantize ${float32} --output FILE", or choose --format float32`;
    expect(await refusal(['infer', float32, ...infer.slice(2), '--format', 'int8'])).toBe(sentence);
    expect(await refusal(['run', '--model', float32, '--format', 'int8'])).toBe(sentence);
  });

  test('a quantised one where a float32 one is needed', async () => {
    expect(await refusal(['quantize', model, '--output', 'out.onnx'])).toBe(
      `${model} is quantised already`,
    );
  });

  const other = file('other.onnx', writeQdq(quantizeNetwork(otherNetwork(), otherRanges)));
  const otherFloats = file('other-float32.onnx', writeFloat32(otherNetwork()));

  test.each(commandsOn(other, otherFloats).slice(0, 4))(
    'one of other shapes: %s',
    async (...args) => {
      expect(await refusal([...args, '--quiet'])).toMatch(
        /^other\S* takes images of 50 × 1 × 1 and has 7 outputs, but CIFAR-10 has images of 3 × 32 × 32 and 10 classes$/,
      );
    },
  );
});

const otherRanges = [
  { low: -2, high: 2 },
  { low: 0, high: 4 },
];

/** A network that is not for CIFAR-10. */
function otherNetwork(): Float32Network {
  const shape = fullyConnectedShape(50, 7);
  return {
    ...FLOAT32_NETWORK,
    name: 'other',
    tensors: [
      { name: 'features', shape: shape.input },
      { name: 'scores', shape: shape.output },
    ],
    output: 1,
    layers: [
      {
        kind: 'fully-connected',
        name: 'fc',
        input: 0,
        output: 1,
        shape,
        relu: true,
        weights: new Float32Array(350).fill(0.5),
        bias: new Float32Array(7),
      },
    ],
  };
}

describe.concurrent('images', () => {
  const inferOf = (input: string) =>
    refusal(['infer', model, '--input', input, '--output', 'outputs.npy']);

  test('of another shape', async () => {
    const small = join(folder, 'small.npy');
    writeNpy(small, { shape: [2, 3, 16, 16], data: new Float32Array(2 * 3 * 256) });
    expect(await inferOf(small)).toBe(
      `${small} has the shape 2 × 3 × 16 × 16, but tiny takes samples × 3 × 32 × 32`,
    );
  });

  test('of another element type', async () => {
    const bytes = readFileSync(images).toString('latin1');
    const text = file('text.npy', Buffer.from(bytes.replace('<f4', '<U1'), 'latin1'));
    expect(await inferOf(text)).toBe(
      `${text} holds values of numpy type <U1; save it as numbers, such as float32 ('<f4').`,
    );
  });

  test('missing or cut', async () => {
    expect(await inferOf('none.npy')).toBe('Cannot read none.npy: no such file or folder.');
    const short = file('short.npy', readFileSync(images).subarray(0, 5000));
    expect(await inferOf(short)).toBe(
      `${short} is cut short: it has 5000 bytes, but its header and data need at least ${128 + 4 * 3072}.`,
    );
  });

  test('of a data folder that is missing or holds something else', async () => {
    const missing = join(folder, 'none');
    const sentence = `Cannot read ${join(missing, 'test_batch.bin')}: no such file or folder.`;
    const none = ['--mitigations', 'none', '--data'];
    expect(await refusal([...run, ...none, missing])).toBe(sentence);
    expect(await refusal([...verify, '--data', missing])).toBe(sentence);
    mkdirSync(join(folder, 'wrong'));
    file('wrong/test_batch.bin', new Uint8Array(3073));
    expect(await refusal([...run, ...none, join(folder, 'wrong')])).toMatch(
      /test_batch\.bin is not CIFAR-10's test_batch\.bin: its SHA-256 is [0-9a-f]{64}, /,
    );
  });
});

describe.concurrent('fault maps', () => {
  const map = (name: string, banks: number, faults: unknown) =>
    file(
      name,
      JSON.stringify({
        format: 'bitcell-fault-map',
        version: 1,
        geometry: { banks, rows: 1024, columns: 256 },
        faults,
      }),
    );

  test('for another memory', async () => {
    const other = map('other.json', 7, []);
    const rest =
      'is for a memory of 7 banks × 1024 rows × 256 columns, but this memory has 1 banks × 1024 rows × 256 columns; use a map that was made for it.';
    expect(await refusal([...infer, '--fault-map', other])).toBe(`${other} ${rest}`);
    expect(await refusal(['map', 'hits', other, '--model', model])).toBe(`${other} ${rest}`);
    expect(await refusal([...run, '--format', 'int8', '--fault-map', other])).toBe(
      `${other} ${rest}`,
    );
  });

  test('with a cell outside its memory, or cut', async () => {
    const outside = map('outside.json', 1, [[0, 1024, 0, 'flip']]);
    expect(await refusal([...infer, '--fault-map', outside])).toContain(`${outside}:1:102: `);
    const cut = file('cut.json', readFileSync(outside).subarray(0, 40));
    expect(await refusal(['map', 'show', cut])).toContain(`${cut}:1:41: `);
  });
});

describe.concurrent('thresholds', () => {
  const good = tinyThresholds();
  const write = (name: string, change: Partial<typeof good>) => {
    const path = join(folder, name);
    writeThresholds(path, { ...good, ...change });
    return path;
  };

  test('of an unknown layer', async () => {
    const path = write('unknown.json', { int8: { ...good.int8, conv9: [1] } });
    const sentence = `${path}: tiny has no layer "conv9" with weights (did you mean "conv1"?)`;
    expect(await refusal([...infer, '--thresholds', path])).toBe(sentence);
    expect(await refusal([...run, '--thresholds', path])).toBe(sentence);
  });

  test('of another number of channels', async () => {
    const path = write('channels.json', { int8: { ...good.int8, conv1: [1, 2, 3] } });
    const sentence = `${path}: layer "conv1" has 3 thresholds, expected 8 or 2048`;
    expect(await refusal([...infer, '--thresholds', path])).toBe(sentence);
    expect(await refusal([...exported, '--thresholds', path])).toBe(sentence);
  });

  test('of another network', async () => {
    const network = { name: 'other', checksum: 'f'.repeat(64) };
    const path = write('other-network.json', { network });
    const checksum = sha256Hex(readFileSync(model)).slice(0, 12);
    for (const args of [run, infer, verify, exported]) {
      expect(await refusal([...args, '--thresholds', path])).toBe(
        `${path} holds thresholds of other (checksum ffffffffffff), not of tiny (checksum ${checksum})`,
      );
    }
  });

  test('of another word format', async () => {
    const path = join(folder, 'only-float32.json');
    const { int8, ...others } = good;
    writeThresholds(path, others);
    expect(await refusal([...infer, '--thresholds', path])).toBe(
      `${path} holds no thresholds for int8 words`,
    );
  });

  test('that are missing, or another file', async () => {
    expect(await refusal([...infer, '--thresholds', 'none.json'])).toBe(
      'Cannot read none.json: no such file or folder.',
    );
    expect(await refusal([...infer, '--thresholds', model])).toMatch(
      /tiny\.onnx:\d+:\d+: found a NUL byte/,
    );
    expect(await refusal([...infer, '--mitigation', 'clip'])).toBe(
      'mitigation clip needs --thresholds FILE',
    );
  });
});
