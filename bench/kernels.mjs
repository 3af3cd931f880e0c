/**
 * Speed of the WebAssembly kernels on the layers of AlexNet for 32×32 images, batch 32, one thread.
 * After `npm run build`: node bench/kernels.mjs
 * Prints JSON: billions of multiply-accumulates per second, the best of several timed runs.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import {
  featureCount,
  fullyConnectedShape,
  multiplyAccumulates,
  weightCount,
} from '../dist/core/index.js';
import { compileKernels, createWasmBackend, wasmBytesNeeded } from '../dist/kernels/index.js';

/** @import { ConvolutionShape } from '../dist/core/index.js' */

const IMAGES = 32;
const RUNS = 7;
const SECONDS_PER_RUN = 0.15;

/**
 * A 3×3 convolution with a padding of 1.
 * @param {number} inputs
 * @param {number} outputs
 * @param {number} size height and width of the input
 * @param {number} stride
 * @returns {ConvolutionShape}
 */
function convolution(inputs, outputs, size, stride = 1) {
  return {
    input: { channels: inputs, height: size, width: size },
    output: { channels: outputs, height: size / stride, width: size / stride },
    kernel: [3, 3],
    strides: [stride, stride],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups: 1,
  };
}

/** @type {Record<string, ConvolutionShape>} */
const layers = {
  conv1: convolution(3, 64, 32, 2),
  conv2: convolution(64, 192, 8),
  conv3: convolution(192, 384, 4),
  conv4: convolution(384, 256, 4),
  conv5: convolution(256, 256, 4),
  fc6: fullyConnectedShape(1024, 4096),
  fc7: fullyConnectedShape(4096, 4096),
  fc8: fullyConnectedShape(4096, 10),
};

/**
 * Runs of the best of several timed stretches; enough runs before them for V8 to optimise the kernels.
 * @param {() => void} run
 * @returns {number} seconds of one run
 */
function bestSeconds(run) {
  let repeats = 1;
  for (;;) {
    const seconds = time(run, repeats);
    if (seconds > SECONDS_PER_RUN) break;
    repeats *= 2;
  }
  return Math.min(...Array.from({ length: RUNS }, () => time(run, repeats) / repeats));
}

/**
 * @param {() => void} run
 * @param {number} repeats
 */
function time(run, repeats) {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) run();
  return (performance.now() - start) / 1000;
}

/** @param {number} length */
function bytes(length) {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
}

const module = compileKernels();

/**
 * @param {ConvolutionShape} shape
 * @param {'int8' | 'float32'} format
 */
function measure(shape, format) {
  const tensor = format === 'int8' ? 'uint8' : 'float32';
  const inputLength = featureCount(shape.input);
  const outputLength = featureCount(shape.output);
  const tensors = [inputLength, outputLength].map((length) => ({ format: tensor, length }));
  const backend = createWasmBackend(
    module,
    wasmBytesNeeded({ convolutions: [{ shape, format }], tensors, images: IMAGES }),
  );
  const random = bytes(weightCount(shape));
  const channels = shape.output.channels;
  if (format === 'int8') {
    const kernel = backend.int8Convolution({
      shape,
      inputZeroPoint: 3,
      weights: new Int8Array(random.buffer),
      weightZeroPoints: new Int32Array(channels),
      bias: new Int32Array(channels),
      multipliers: new Float32Array(channels).fill(1e-3),
      outputZeroPoint: 0,
      low: 0,
      high: 255,
    });
    const input = backend.allocateUint8(IMAGES * inputLength);
    const output = backend.allocateUint8(IMAGES * outputLength);
    input.set(bytes(input.length));
    return bestSeconds(() => kernel.run(input, output, IMAGES));
  }
  const kernel = backend.float32Convolution({
    shape,
    weights: Float32Array.from(random, (byte) => byte / 128 - 1),
    bias: new Float32Array(channels),
    relu: true,
  });
  const input = backend.allocateFloat32(IMAGES * inputLength);
  const output = backend.allocateFloat32(IMAGES * outputLength);
  input.set(Float32Array.from(bytes(input.length), (byte) => byte / 256));
  return bestSeconds(() => kernel.run(input, output, IMAGES));
}

const rows = Object.entries(layers).map(([name, shape]) => {
  const macs = IMAGES * multiplyAccumulates(shape);
  const int8 = measure(shape, 'int8');
  const float32 = measure(shape, 'float32');
  return { name, macs, int8, float32 };
});

/** @param {'int8' | 'float32'} format */
function total(format) {
  const macs = rows.reduce((sum, row) => sum + row.macs, 0);
  const seconds = rows.reduce((sum, row) => sum + row[format], 0);
  return { gmacPerSecond: gmac(macs, seconds), imagesPerSecond: Math.round(IMAGES / seconds) };
}

/**
 * @param {number} macs
 * @param {number} seconds
 */
function gmac(macs, seconds) {
  return Number((macs / seconds / 1e9).toFixed(2));
}

const result = {
  schemaVersion: 1,
  node: process.version,
  cpu: cpus()[0].model,
  images: IMAGES,
  layers: rows.map(({ name, macs, int8, float32 }) => ({
    name,
    multiplyAccumulates: macs / IMAGES,
    int8GmacPerSecond: gmac(macs, int8),
    float32GmacPerSecond: gmac(macs, float32),
  })),
  total: { int8: total('int8'), float32: total('float32') },
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
