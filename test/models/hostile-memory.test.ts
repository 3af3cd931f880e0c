import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { encodeOnnx, type OnnxModel } from '../../models/index.js';

const MEBIBYTE = 2 ** 20;
/** Weights of the largest networks that Bitcell ships are about this long. */
const WEIGHT_BYTES = 15 * MEBIBYTE;

const model: OnnxModel = {
  irVersion: 7,
  producer: 'test',
  opsets: new Map([['', 13]]),
  metadata: new Map(),
  graph: {
    name: 'graph',
    nodes: [],
    initializers: [
      {
        name: 'w',
        elementType: 'int8',
        dims: [WEIGHT_BYTES],
        // Bytes that are also numbers of one byte each on the wire.
        data: new Int8Array(WEIGHT_BYTES).fill(1),
      },
    ],
    inputs: [{ name: 'x', elementType: 'float32', dims: [1, 2 ** 30, 2 ** 30, 2 ** 30] }],
    outputs: [{ name: 'x', elementType: 'float32', dims: undefined }],
  },
};

/** A field of the protocol buffers' wire format with `length` bytes. */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) return Buffer.from(bytes);
  }
}

/** The model's file with the weights' bytes (field 9) under another field's number. */
function weightsAs(number: number): Uint8Array {
  const bytes = Buffer.from(encodeOnnx(model));
  const place = bytes.indexOf(Buffer.concat([varint(9 * 8 + 2), varint(WEIGHT_BYTES)]));
  expect(place).toBeGreaterThan(0);
  bytes[place] = number * 8 + 2;
  return bytes;
}

const files: Readonly<Record<string, Uint8Array>> = {
  'huge-input': encodeOnnx(model),
  'weights-as-dimensions': weightsAs(1),
  'weights-as-floats': weightsAs(4),
  'weights-as-int32': weightsAs(5),
  'weights-as-int64': weightsAs(7),
  'weights-as-name': weightsAs(8),
  'weights-as-external-data': weightsAs(13),
  // A graph of empty nodes, of empty initialisers, and messages without end inside each other.
  'many-nodes': field(7, Buffer.alloc(2 * MEBIBYTE, field(1, Buffer.alloc(0)))),
  'many-initialisers': field(7, Buffer.alloc(2 * MEBIBYTE, field(5, Buffer.alloc(0)))),
  'nested-groups': Buffer.alloc(MEBIBYTE, 0x7b),
  'long-length': Buffer.concat([varint(7 * 8 + 2), varint(2 ** 31 - 1), Buffer.alloc(64)]),
  empty: Buffer.alloc(0),
};

/**
 * Reads the files named on its command line one after the other; prints errors' kinds and the peak memory. On Linux
 * `maxRSS` holds what the process that started this one had then, the tests before in it included; VmHWM does not.
 */
const READER = `
  const { readFileSync } = await import('node:fs');
  const { readNetwork } = await import(process.argv[1]);
  const results = process.argv.slice(2).map((file) => {
    try {
      readNetwork(file);
      return 'read';
    } catch (error) {
      return error.name;
    }
  });
  const highWater = process.platform === 'linux'
    ? Number(/VmHWM:\\s*(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    : process.resourceUsage().maxRSS;
  console.log(JSON.stringify({ results, peak: highWater * 1024 }));
`;

test('no file makes the reader crash, or use more than 1 GB of memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
  try {
    const paths = Object.entries(files).map(([name, bytes]) => {
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, bytes);
      return path;
    });
    const reader = pathToFileURL(join(packageRoot(), 'dist', 'models', 'index.js')).href;
    const output = execFileSync(
      process.execPath,
      ['--max-old-space-size=1024', '--input-type=module', '-e', READER, reader, ...paths],
      { encoding: 'utf8', timeout: 50_000 },
    );
    const { results, peak } = JSON.parse(output);
    expect(results).toEqual(paths.map(() => 'ModelError'));
    expect(peak).toBeLessThan(1e9);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
