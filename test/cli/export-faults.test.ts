import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readFloat32Npy, writeNpy } from '../../core/index.js';
import { uniformFaultMap, writeFaultMap } from '../../fault/index.js';
import {
  type Float32Network,
  isOnArray,
  loadCifar10,
  type Network,
  normalize,
  readNetwork,
  writeFloat32,
} from '../../models/index.js';
import {
  applyFaultMap,
  loadAccelerator,
  placeNetwork,
  storedWords,
  withWords,
} from '../../sim/index.js';
import { runOnnx } from '../models/onnxruntime.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { FLOAT32_NETWORK, INT8_NETWORK, writeTinyNetwork } from './tiny-network.js';

const IMAGES = 12;
const folder = newFolder();
const files = writeTinyNetwork(folder);
const inputs = normalize(loadCifar10({ split: 'test', limit: IMAGES }));
const images = join(folder, 'images.npy');
writeNpy(images, { shape: [IMAGES, 3, 32, 32], data: inputs });

/** A memory of 16 KiB bits, which is filled again and again. */
const small = join(folder, 'small.yaml');
writeFileSync(
  small,
  'name: small\narray: { rows: 16, columns: 16, dataflow: weight-stationary }\nweightMemory: { banks: 2, rows: 32, wordBits: 64, columnMux: 4 }\n',
);

/** A map of the memory that holds the tiny network. */
function mapFor(
  name: string,
  network: Network,
  accelerator: string,
  kind: Placement,
  rate: number,
) {
  const { geometry } = placeNetwork(network, loadAccelerator(accelerator), kind);
  const file = join(folder, name);
  writeFaultMap(file, uniformFaultMap({ geometry, rate, faults: 'stuck-at', seed: 4, trial: 0 }));
  return file;
}

type Placement = 'resident' | 'streamed';

async function inferred(model: string, input: string, ...options: string[]): Promise<number[]> {
  const output = join(newFolder(), 'outputs.npy');
  await bitcellJson(['infer', model, '--input', input, '--output', output, ...options]);
  return Array.from(readFloat32Npy(output).data);
}

/** What the int8 network gives without any fault. */
let sound: Promise<number[]> | undefined;
function inferredSound(): Promise<number[]> {
  sound ??= inferred(files.int8, images);
  return sound;
}

async function exported(model: string, ...options: string[]) {
  const output = join(newFolder(), 'faulted.onnx');
  const result = await bitcellJson(['export', '--model', model, '--output', output, ...options]);
  return { result, file: output, bytes: readFileSync(output) };
}

async function onnxruntime(bytes: Uint8Array, values: Float32Array, level: 'disabled' | 'all') {
  return (await runOnnx(bytes, INT8_NETWORK, values, level)).get('logits');
}

describe('int8 words under a fault map', () => {
  const resident = mapFor('resident.json', INT8_NETWORK, 'edge-16x16', 'resident', 2e-3);
  const streamed = mapFor('streamed.json', INT8_NETWORK, small, 'streamed', 5e-2);
  const clips = ['--thresholds', files.thresholds];

  test.each([
    ['no mitigation', resident, ['--mitigation', 'none']],
    ['a code', resident, ['--mitigation', 'secded']],
    ['rotated words', resident, ['--mitigation', 'rotate']],
    ['another order of the channels', resident, ['--mitigation', 'reorder']],
    ['clips', resident, ['--mitigation', 'clip', ...clips]],
    ['rotated words and clips', resident, ['--mitigation', 'rotate+clamp', ...clips]],
    ['a streamed memory', streamed, ['--placement', 'streamed', '--accelerator', small]],
    [
      'a streamed memory and inverted words',
      streamed,
      ['--placement', 'streamed', '--accelerator', small, '--mitigation', 'invert'],
    ],
  ])('give in onnxruntime what infer gives: %s', async (_, map, options) => {
    const all = ['--fault-map', map, ...options];
    const { result, file, bytes } = await exported(files.int8, ...all);
    const ours = await inferred(files.int8, images, ...all);
    expect(result.changedWeights).toBeGreaterThan(0);
    expect(await onnxruntime(bytes, inputs, 'all')).toEqual(ours);
    expect(ours).not.toEqual(await inferredSound());
    if (result.outputFormat === 'qoperator') {
      expect(await onnxruntime(bytes, inputs, 'disabled')).toEqual(ours);
    } else {
      // What was written is read again as any other network.
      expect(await inferred(file, images)).toEqual(ours);
      const operators = await exported(files.int8, ...all, '--output-format', 'qoperator');
      expect(await onnxruntime(operators.bytes, inputs, 'disabled')).toEqual(ours);
    }
  });

  test('come from a table of dies that is placed in the memory, too', async () => {
    const table = join(folder, 'dies.csv');
    const lines = ['D1,0.6,0,3,7,flip', 'D1,0.5,0,3,6,flip', 'D2,0.5,1,2,5,flip'];
    writeFileSync(table, ['die,voltage,bank,row,column,kind', ...lines, ''].join('\n'));
    const options = [
      ...['--fault-map', table, '--map-geometry', '2x16x16', '--word-bits', '8'],
      ...['--select', 'die=D1,voltage=0.5', '--tile', 'repeat', '--offset', '0,1,0'],
    ];
    const { bytes, result } = await exported(files.int8, ...options);
    expect(result.changedWeights).toBeGreaterThan(10);
    const ours = await inferred(files.int8, images, ...options);
    expect(await onnxruntime(bytes, inputs, 'all')).toEqual(ours);
    const onto = join(folder, 'onto.json');
    await bitcellJson([
      ...['map', 'import', table, '--geometry', '2x16x16', '--select', 'die=D1,voltage=0.5'],
      ...['--onto', '1x1024x256', '--tile', 'repeat', '--offset', '0,1,0', '-o', onto],
    ]);
    expect(await inferred(files.int8, images, '--fault-map', onto)).toEqual(ours);
  });

  test('say in text and in JSON what was written', async () => {
    const args = ['export', '--model', files.int8, '--fault-map', resident, '--output', 'out.onnx'];
    const { stdout, status } = await bitcell(args);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^out\.onnx: .+tiny\.onnx with [\d,]+ weights as they are read \(none\), \d+ bytes\n$/,
    );
    const { result, file, bytes } = await exported(files.int8, '--fault-map', resident);
    expect(result).toEqual({
      ...{ model: files.int8, format: 'int8', mitigation: 'none', faultMap: resident },
      ...{ accelerator: 'edge-16x16', placement: 'resident' },
      changedWeights: expect.any(Number),
      ...{ output: file, outputFormat: 'qdq', bytes: bytes.length, clippedLayers: [] },
    });
  });

  test('are refused where one network cannot stand for them', async () => {
    const intermittent = join(folder, 'intermittent.json');
    const faultModel = join(folder, 'intermittent.yaml');
    writeFileSync(faultModel, 'model: uniform\nfaults: flip\nactiveProbability: 0.5\n');
    const create = ['map', 'create', '--geometry', '1x1024x256', '--rate', '1e-3'];
    await bitcellJson([...create, '--fault-model', faultModel, '-o', intermittent]);
    const args = ['export', '--model', files.int8, '--output', 'out.onnx'];
    const message = await refusal([...args, '--fault-map', intermittent]);
    expect(message).toContain(`${intermittent}: its faults are intermittent`);
    expect(message).toContain('probability 0.5');
    expect(await refusal([...args, '--mitigation', 'secded'])).toContain(
      'secded changes no weight of a sound memory: give --fault-map FILE',
    );
    expect(await refusal(args)).toContain('give --thresholds FILE, or --fault-map FILE');
    expect(await refusal([...args, '--tile', 'repeat'])).toContain('--tile needs --fault-map');
    expect(await refusal([...args, '--fault-map', streamed])).toContain(
      'is for a memory of 2 banks × 32 rows × 256 columns',
    );
    expect(
      await refusal([
        ...[...args, '--fault-map', resident, '--mitigation', 'clip', ...clips],
        ...['--output-format', 'qdq'],
      ]),
    ).toContain('has no place');
  });
});

/** Weights and biases of few bits, so that every sum is exact, in whatever order it is added. */
function exactNetwork(): Float32Network {
  const rounded = (values: Float32Array) => values.map((value) => Math.round(value * 16) / 8);
  return {
    ...FLOAT32_NETWORK,
    layers: FLOAT32_NETWORK.layers.map((layer) =>
      isOnArray(layer)
        ? { ...layer, weights: rounded(layer.weights), bias: rounded(layer.bias) }
        : layer,
    ),
  };
}

describe('float32 words under a fault map', () => {
  const network = exactNetwork();
  const model = join(folder, 'exact.onnx');
  writeFileSync(model, writeFloat32(network));
  const exactInputs = inputs.map((value) => Math.round(value * 4) / 4);
  const exactImages = join(folder, 'exact.npy');
  writeNpy(exactImages, { shape: [IMAGES, 3, 32, 32], data: exactInputs });
  const options = ['--format', 'float32', '--fault-map'];
  const placement = placeNetwork(network, loadAccelerator('edge-16x16'), 'resident');

  function expectedWords(file: string) {
    const map = JSON.parse(readFileSync(file, 'utf8')) as { readonly faults: unknown[] };
    expect(map.faults.length).toBeGreaterThan(0);
    const { geometry } = placement;
    const faults = uniformFaultMap({
      ...{ geometry, rate: 2e-3, faults: 'stuck-at', seed: 4, trial: 0 },
    });
    return storedWords(withWords(network, applyFaultMap(faults, placement, storedWords(network))));
  }

  test('are in the file bit for bit, NaN among them, and give there what they give here', async () => {
    const map = mapFor('float32.json', network, 'edge-16x16', 'resident', 2e-3);
    const { file } = await exported(model, ...options, map);
    const written = readNetwork(file);
    if (written.format !== 'float32') throw new Error('not float32');
    expect(storedWords(written)).toEqual(expectedWords(map));
    expect(await inferred(file, exactImages, '--format', 'float32')).toEqual(
      await inferred(model, exactImages, ...options, map),
    );
  });

  test.each([
    ['huge', 30, (size: number) => size >= 0.25 && size < 1],
    ['infinite', 30, (size: number) => size === 1],
    ['NaN', 30, (size: number) => size > 1],
    ['of the other sign', 31, (size: number) => size > 0],
  ])('give in onnxruntime what infer gives, to the bit: %s', async (kind, bit, isStruck) => {
    const values = new Float32Array(storedWords(network).buffer);
    const { memory } = placement;
    // One weight for each of the ten outputs at most: no other order of addition has another overflow.
    const first = values.length - 160;
    const struck = Array.from({ length: 10 }, (_, output) => first + 16 * output).flatMap((start) =>
      Array.from({ length: 16 }, (_, input) => start + input)
        .filter((weight) => isStruck(Math.abs(values[weight])))
        .slice(0, 1),
    );
    // Words of two weights, of which `columnMux` interleave in a row.
    const faults = struck.map((weight) => {
      const word = Math.floor(weight / 2);
      const row = Math.floor(word / memory.columnMux);
      const column = memory.columnMux * (32 * (weight % 2) + bit) + (word % memory.columnMux);
      return [Math.floor(row / memory.rows), row % memory.rows, column, 'flip'];
    });
    expect(faults.length).toBeGreaterThan(0);
    const map = join(folder, `${kind}.json`);
    const { banks, rows, columns } = placement.geometry;
    writeFileSync(
      map,
      JSON.stringify({
        ...{ format: 'bitcell-fault-map', version: 1, geometry: { banks, rows, columns }, faults },
      }),
    );
    const { file, bytes, result } = await exported(model, ...options, map);
    expect(result.changedWeights).toBe(faults.length);
    const written = readNetwork(file);
    if (written.format !== 'float32') throw new Error('not float32');
    const read = new Float32Array(storedWords(written).buffer);
    if (kind === 'infinite')
      expect(read.some((weight) => Math.abs(weight) === Infinity)).toBe(true);
    if (kind === 'NaN') expect(read.some(Number.isNaN)).toBe(true);
    const ours = await inferred(model, exactImages, ...options, map);
    expect(await onnxruntime(bytes, exactInputs, 'disabled')).toEqual(ours);
    expect(await onnxruntime(bytes, exactInputs, 'all')).toEqual(ours);
  });
});
