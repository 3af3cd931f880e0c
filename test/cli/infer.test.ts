import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readFloat32Npy, writeNpy } from '../../core/index.js';
import { KERNEL_PROVIDERS, kernelsInUse, PROVIDERS } from '../../kernels/index.js';
import {
  arrayLayers,
  decodeOnnx,
  encodeOnnx,
  loadCifar10,
  normalize,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';
import { runOnnx } from '../models/onnxruntime.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { FLOAT32_NETWORK, INT8_NETWORK, type TinyFiles, writeTinyNetwork } from './tiny-network.js';

/** More than one batch of the datapath, and no multiple of it. */
const IMAGES = 30;

const folder = newFolder();
const input = join(folder, 'images.npy');
let inputs: Float32Array;
let files: TinyFiles;

beforeAll(() => {
  files = writeTinyNetwork(folder);
  inputs = normalize(loadCifar10({ split: 'test', limit: IMAGES }));
  writeNpy(input, { shape: [IMAGES, 3, 32, 32], data: inputs });
});

/** The outputs that `bitcell infer` writes, and what it prints. */
async function infer(model: string, ...options: string[]) {
  const output = join(newFolder(), 'outputs.npy');
  const result = await bitcellJson([
    'infer',
    model,
    '--input',
    input,
    '--output',
    output,
    ...options,
  ]);
  const { shape, data } = readFloat32Npy(output);
  expect(shape).toEqual([IMAGES, 10]);
  return { result, outputs: Array.from(data), output };
}

async function onnxruntimeOutputs(bytes: Uint8Array): Promise<number[] | undefined> {
  return (await runOnnx(bytes, INT8_NETWORK, inputs, 'all')).get('logits');
}

describe('infer', () => {
  test('has what a mitigation in the memory changes without any fault, and checks it', async () => {
    const [plain, coded] = [
      await infer(files.int8, '--format', 'float32'),
      await infer(files.int8, '--format', 'float32', '--mitigation', 'cep:chunk=3'),
    ];
    expect(coded.outputs).not.toEqual(plain.outputs);
    const output = join(newFolder(), 'outputs.npy');
    const args = ['infer', files.int8, '--input', input, '--output', output];
    expect(await refusal([...args, '--mitigation', 'secded:layers=fc9'])).toContain(
      'has no layer "fc9"',
    );
  });

  test('writes what onnxruntime computes of the same quantised file', async () => {
    const { result, outputs, output } = await infer(files.int8);
    expect(outputs).toEqual(await onnxruntimeOutputs(writeQdq(INT8_NETWORK)));
    expect(result).toEqual({
      model: files.int8,
      format: 'int8',
      kernels: kernelsInUse(),
      mitigation: 'none',
      images: IMAGES,
      nonFiniteInputs: 0,
      seconds: expect.any(Number),
      output,
      outputs: [{ name: 'logits', elementType: 'float32', shape: [IMAGES, 10], file: output }],
      unfused: [],
    });
    expect(result.seconds).toBeGreaterThan(0);
  });

  test('runs a float32 file on float32 words within rounding of onnxruntime', async () => {
    const { outputs } = await infer(files.float32, '--format', 'float32');
    const expected = await onnxruntimeOutputs(writeFloat32(FLOAT32_NETWORK));
    expect(outputs.length).toBe(expected?.length);
    for (const [index, value] of outputs.entries()) expect(value).toBeCloseTo(expected![index], 4);
  });

  test('puts the faults of a map into the weights that its cells hold', async () => {
    // The default bank's rows hold 4 interleaved words of 64 bits, so of 8 weights of 8 bits: bit b of
    // word w is column 4b + w. Weight 9 is bits 8 … 15 of word 1; weight 32 bits 0 … 7 of row 1's word 0.
    const map = join(folder, 'map.json');
    writeFileSync(
      map,
      JSON.stringify({
        format: 'bitcell-fault-map',
        version: 1,
        geometry: { banks: 1, rows: 1024, columns: 256 },
        faults: [
          [0, 0, 4 * (8 + 7) + 1, 'flip'],
          [0, 1, 4 * 6, 'stuck-at-1'],
          [0, 1, 4 * 5, 'stuck-at-0'],
        ],
      }),
    );
    const [first] = arrayLayers(INT8_NETWORK);
    const weights = first.weights.slice();
    weights[9] ^= 0x80;
    weights[32] = (weights[32] | 0x40) & ~0x20;
    expect(weights).not.toEqual(first.weights);
    const layers = INT8_NETWORK.layers.map((layer) =>
      layer.name === first.name ? { ...first, weights } : layer,
    );
    const { outputs } = await infer(files.int8, '--fault-map', map);
    expect(outputs).toEqual(await onnxruntimeOutputs(writeQdq({ ...INT8_NETWORK, layers })));
    expect(outputs).not.toEqual((await infer(files.int8)).outputs);
  });

  test.each(['int8', 'float32'])(
    'clips, clamps or ignores thresholds of %s words',
    async (format) => {
      const run = async (...options: string[]) =>
        (await infer(files.int8, '--format', format, ...options)).outputs;
      const [plain, clip, clamp, none] = await Promise.all([
        run(),
        run('--thresholds', files.thresholds),
        run('--thresholds', files.thresholds, '--mitigation', 'clamp'),
        run('--thresholds', files.thresholds, '--mitigation', 'none'),
      ]);
      expect(none).toEqual(plain);
      expect(clip).not.toEqual(plain);
      expect(clamp).not.toEqual(plain);
      expect(clamp).not.toEqual(clip);
    },
  );

  test('gives the same outputs on any number of threads', async () => {
    const run = async (...options: string[]) => (await infer(files.int8, ...options)).outputs;
    const map = join(newFolder(), 'map.csv');
    writeFileSync(map, 'bank,row,column,kind\n0,0,61,flip\n0,3,60,stuck-at-1\n');
    const faulty = ['--fault-map', map, '--thresholds', files.thresholds];
    const [one, two, three] = await Promise.all(
      ['1', '2', '3'].map((threads) => run(...faulty, '--threads', threads)),
    );
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(one).not.toEqual(await run('--threads', '2'));
  });

  test('says in text what it wrote, and shows progress on stderr unless told not to', async () => {
    const cwd = newFolder();
    const args = ['infer', files.int8, '--input', input, '--output', 'outputs.npy'];
    const shown = await bitcell(args, { cwd });
    expect(shown.status).toBe(0);
    expect(shown.stdout).toMatch(
      /^outputs\.npy: 30 outputs in \d+\.\d\d s \(\d+ images a second\)\n$/,
    );
    expect(shown.stderr).toMatch(/^30 of 30 images, /m);
    expect((await bitcell([...args, '--quiet'], { cwd })).stderr).toBe('');
  });
});

test('names the nodes that onnxruntime computes in float32', async () => {
  const written = decodeOnnx(writeQdq(INT8_NETWORK), 'tiny');
  // onnxruntime fuses no Gemm whose weights state no zero point.
  const nodes = written.graph.nodes.map((node) =>
    node.outputs[0] === 'fc1.weight_dequantized'
      ? { ...node, inputs: node.inputs.slice(0, 2) }
      : node,
  );
  const model = join(newFolder(), 'unfused.onnx');
  writeFileSync(model, encodeOnnx({ ...written, graph: { ...written.graph, nodes } }));
  const output = join(newFolder(), 'outputs.npy');
  const { status, stdout, stderr } = await bitcell([
    ...['infer', model, '--input', input, '--output', output, '--json', '--quiet'],
  ]);
  expect([status, JSON.parse(stdout).unfused]).toEqual([0, ['node "fc1" (Gemm)']]);
  expect(stderr).toBe(
    'bitcell: unfused: onnxruntime computes node "fc1" (Gemm) in float32, Bitcell in integers, so values near a tie may differ by one step\n',
  );
});

test('infer gives the same outputs with any kernels, and says which', async () => {
  for (const model of [files.int8, files.float32]) {
    const format = ['--format', model === files.int8 ? 'int8' : 'float32'];
    const usual = await infer(model, ...format);
    expect(usual.result.kernels).toEqual(kernelsInUse());
    for (const provider of KERNEL_PROVIDERS) {
      // Scalar float32 takes too long.
      if (provider === 'reference' && model !== files.int8) continue;
      if (PROVIDERS[provider].unavailable() !== undefined) continue;
      const { result, outputs } = await infer(model, ...format, '--kernels', provider);
      expect(result.kernels).toMatchObject({ provider });
      expect(outputs).toEqual(usual.outputs);
    }
  }
});
