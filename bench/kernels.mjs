/**
 * Speed of the kernels on each distinct layer shape of AlexNet and VGG-16 for 32×32 images (`alexnet1`: one by one),
 * of ResNet-50 and MobileNetV2 for 224×224 ones, and on grouped layers, one thread. After `npm run build`:
 *   node bench/kernels.mjs [--json] [--formats int8,float32] [--kernels wasm|native[:INSTRUCTIONS]] [--quick] [NETWORK …]
 * Billions of multiply-accumulates of the definition a second of processor time, the best of several timed runs.
 * `--quick` runs each kernel for a millisecond, one image at a time, and leaves out layers of many weights.
 */
import { parseArgs } from 'node:util';
import { featureCount, fullyConnectedShape, multiplyAccumulates, weightCount } from 'bitcell/core';
import { createBackend, loadKernels, PROVIDERS, planInt8Convolution } from 'bitcell/kernels';

import { machine, printJson, requireFigures } from './measure.mjs';

/** @import { ConvolutionShape } from 'bitcell/core' */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    formats: { type: 'string', default: 'int8,float32' },
    kernels: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const { runs, secondsPerRun, mostWeights } = values.quick
  ? { runs: 1, secondsPerRun: 0.001, mostWeights: 2 ** 17 }
  : { runs: 5, secondsPerRun: 0.05, mostWeights: Infinity };
const FORMATS = /** @type {('int8' | 'float32')[]} */ (values.formats.split(','));

/**
 * A convolution padded so that a stride of 1 keeps the size.
 * @param {number} inputs
 * @param {number} outputs
 * @param {number} size height and width of the input
 * @param {{ kernel?: number, stride?: number, groups?: number }} [options]
 * @returns {ConvolutionShape}
 */
function convolution(inputs, outputs, size, { kernel = 3, stride = 1, groups = 1 } = {}) {
  const pad = kernel >> 1;
  const outputSize = Math.ceil(size / stride);
  return {
    input: { channels: inputs, height: size, width: size },
    output: { channels: outputs, height: outputSize, width: outputSize },
    kernel: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    dilations: [1, 1],
    groups,
  };
}

/**
 * @param {number} inputs
 * @param {number} outputs
 * @param {number} size
 */
function pointwise(inputs, outputs, size, stride = 1) {
  return convolution(inputs, outputs, size, { kernel: 1, stride });
}

/**
 * @param {number} channels
 * @param {number} size
 */
function depthwise(channels, size, stride = 1) {
  return convolution(channels, channels, size, { stride, groups: channels });
}

/**
 * @param {number} inputs
 * @param {number} outputs
 * @param {number} size
 * @param {number} groups
 */
function grouped(inputs, outputs, size, groups, kernel = 3, stride = 1) {
  return convolution(inputs, outputs, size, { kernel, stride, groups });
}

/**
 * The distinct layer shapes of each network.
 * @type {Record<string, { images: number, shapes: ConvolutionShape[] }>}
 */
const networks = {
  alexnet: {
    images: 32,
    shapes: [
      convolution(3, 64, 32, { stride: 2 }),
      convolution(64, 192, 8),
      convolution(192, 384, 4),
      convolution(384, 256, 4),
      convolution(256, 256, 4),
      fullyConnectedShape(1024, 4096),
      fullyConnectedShape(4096, 4096),
      fullyConnectedShape(4096, 10),
    ],
  },
  alexnet1: {
    images: 1,
    shapes: [
      fullyConnectedShape(1024, 4096),
      fullyConnectedShape(4096, 4096),
      fullyConnectedShape(4096, 10),
    ],
  },
  vgg16: {
    images: 32,
    shapes: [
      convolution(3, 64, 32),
      convolution(64, 64, 32),
      convolution(64, 128, 16),
      convolution(128, 128, 16),
      convolution(128, 256, 8),
      convolution(256, 256, 8),
      convolution(256, 512, 4),
      convolution(512, 512, 4),
      convolution(512, 512, 2),
      fullyConnectedShape(512, 10),
    ],
  },
  resnet50: {
    images: 2,
    shapes: [
      convolution(3, 64, 224, { kernel: 7, stride: 2 }),
      pointwise(64, 64, 56),
      convolution(64, 64, 56),
      pointwise(64, 256, 56),
      pointwise(256, 64, 56),
      pointwise(256, 128, 56),
      convolution(128, 128, 56, { stride: 2 }),
      pointwise(128, 512, 28),
      pointwise(256, 512, 56, 2),
      pointwise(512, 128, 28),
      convolution(128, 128, 28),
      pointwise(512, 256, 28),
      convolution(256, 256, 28, { stride: 2 }),
      pointwise(256, 1024, 14),
      pointwise(512, 1024, 28, 2),
      pointwise(1024, 256, 14),
      convolution(256, 256, 14),
      pointwise(1024, 512, 14),
      convolution(512, 512, 14, { stride: 2 }),
      pointwise(512, 2048, 7),
      pointwise(1024, 2048, 14, 2),
      pointwise(2048, 512, 7),
      convolution(512, 512, 7),
      fullyConnectedShape(2048, 1000),
    ],
  },
  mobilenetv2: {
    images: 2,
    shapes: [
      convolution(3, 32, 224, { stride: 2 }),
      depthwise(32, 112),
      pointwise(32, 16, 112),
      pointwise(16, 96, 112),
      depthwise(96, 112, 2),
      pointwise(96, 24, 56),
      pointwise(24, 144, 56),
      depthwise(144, 56),
      pointwise(144, 24, 56),
      depthwise(144, 56, 2),
      pointwise(144, 32, 28),
      pointwise(32, 192, 28),
      depthwise(192, 28),
      pointwise(192, 32, 28),
      depthwise(192, 28, 2),
      pointwise(192, 64, 14),
      pointwise(64, 384, 14),
      depthwise(384, 14),
      pointwise(384, 64, 14),
      pointwise(384, 96, 14),
      pointwise(96, 576, 14),
      depthwise(576, 14),
      pointwise(576, 96, 14),
      depthwise(576, 14, 2),
      pointwise(576, 160, 7),
      pointwise(160, 960, 7),
      depthwise(960, 7),
      pointwise(960, 160, 7),
      pointwise(960, 320, 7),
      pointwise(320, 1280, 7),
      fullyConnectedShape(1280, 1000),
    ],
  },
  // ResNeXt-50 (32×4d), then ShuffleNet (3 groups), then filters of several channels that fill no vector.
  grouped: {
    images: 2,
    shapes: [
      grouped(128, 128, 56, 32),
      grouped(256, 256, 56, 32, 3, 2),
      grouped(256, 256, 28, 32),
      grouped(512, 512, 14, 32),
      grouped(1024, 1024, 7, 32),
      grouped(240, 60, 28, 3, 1),
      grouped(60, 240, 28, 3, 1),
      grouped(480, 120, 14, 3, 1),
      grouped(120, 480, 14, 3, 1),
      grouped(960, 240, 7, 3, 1),
      grouped(64, 64, 28, 32),
      grouped(48, 48, 28, 8),
      grouped(96, 192, 28, 96),
    ],
  },
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
    if (seconds > secondsPerRun) break;
    repeats *= 2;
  }
  return Math.min(...Array.from({ length: runs }, () => time(run, repeats) / repeats));
}

/**
 * Seconds of processor time: other work on the machine then counts little.
 * @param {() => void} run
 * @param {number} repeats
 */
function time(run, repeats) {
  const start = process.cpuUsage();
  for (let i = 0; i < repeats; i++) run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** @param {number} length */
function bytes(length) {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
}

/** @param {string | undefined} wanted a provider, or one of its instruction sets after a colon */
function codeOf(wanted) {
  if (wanted === undefined) return loadKernels();
  const [name, instructionSet] = wanted.split(':');
  const provider = Object.values(PROVIDERS).find((one) => one.name === name);
  if (!provider) throw new Error(`There are no kernels "${name}".`);
  return provider.load(instructionSet);
}

const code = codeOf(values.kernels);

/**
 * A weight from a byte: most are small, as trained ones are, and a few are extreme.
 * @param {number} byte
 */
function nearlyNormal(byte) {
  return Math.round(((byte - 127.5) / 127.5) ** 3 * 127);
}

/**
 * @param {ConvolutionShape} shape
 * @param {number} images
 * @param {'int8' | 'float32'} format
 */
function measure(shape, images, format) {
  /** @type {'uint8' | 'float32'} */
  const tensor = format === 'int8' ? 'uint8' : 'float32';
  const inputLength = featureCount(shape.input);
  const outputLength = featureCount(shape.output);
  const tensors = [inputLength, outputLength].map((length) => ({ format: tensor, length }));
  const backend = createBackend(code, { convolutions: [{ shape, format }], tensors, images });
  const random = bytes(weightCount(shape));
  const channels = shape.output.channels;
  if (format === 'int8') {
    const kernel = backend.int8Convolution({
      shape,
      inputZeroPoint: 0,
      weights: Int8Array.from(random, nearlyNormal),
      weightZeroPoints: new Int32Array(channels),
      bias: new Int32Array(channels),
      multipliers: new Float32Array(channels).fill(1e-3),
      outputZeroPoint: 0,
      low: 0,
      high: 255,
    });
    const input = backend.allocateUint8(images * inputLength);
    const output = backend.allocateUint8(images * outputLength);
    input.set(bytes(input.length));
    return bestSeconds(() => kernel.run(input, output, images));
  }
  const kernel = backend.float32Convolution({
    shape,
    weights: Float32Array.from(random, (byte) => byte / 128 - 1),
    bias: new Float32Array(channels),
    relu: true,
  });
  const input = backend.allocateFloat32(images * inputLength);
  const output = backend.allocateFloat32(images * outputLength);
  input.set(Float32Array.from(bytes(input.length), (byte) => byte / 256));
  return bestSeconds(() => kernel.run(input, output, images));
}

/** @param {ConvolutionShape} shape */
function groupsText({ input, output, groups }) {
  if (groups === 1) return '';
  return groups === input.channels && groups === output.channels
    ? ', depthwise'
    : `, ${groups} groups`;
}

/**
 * @param {ConvolutionShape} shape
 * @param {number} images
 */
function measureRow(shape, images) {
  const { input, output, kernel, strides } = shape;
  const macs = images * multiplyAccumulates(shape);
  const speeds = FORMATS.map((format) => macs / measure(shape, images, format) / 1e9);
  return requireFigures({
    layer: `${kernel.join('×')} ${input.channels}→${output.channels} at ${input.height}×${input.width}, stride ${strides[0]}${groupsText(shape)}`,
    images,
    multiplyAccumulatesPerImage: multiplyAccumulates(shape),
    // Kernels in C choose by the number of images of a call.
    int8Algorithm: code.provider === 'wasm' ? planInt8Convolution(shape).algorithm : 'native',
    gmacPerSecond: Object.fromEntries(
      FORMATS.map((format, i) => [format, Number(speeds[i].toFixed(2))]),
    ),
  });
}

/** @param {ReturnType<typeof measureRow>} row */
function printRow({ layer, int8Algorithm, gmacPerSecond }) {
  process.stdout.write(`  ${layer} (${int8Algorithm}): ${JSON.stringify(gmacPerSecond)} GMAC/s\n`);
}

const names = positionals.length > 0 ? positionals : Object.keys(networks);
/** @type {Record<string, ReturnType<typeof measureRow>[]>} */
const results = {};
for (const name of names) {
  const network = networks[name];
  if (!network) throw new Error(`There is no network "${name}" here.`);
  if (!values.json) process.stdout.write(`${name}\n`);
  const shapes = network.shapes.filter((shape) => weightCount(shape) <= mostWeights);
  results[name] = shapes.map((shape) => {
    const row = measureRow(shape, values.quick ? 1 : network.images);
    if (!values.json) printRow(row);
    return row;
  });
}
if (values.json) {
  const { provider, instructionSet } = code;
  const kernels = { provider, instructionSet };
  printJson({ schemaVersion: 4, machine: machine(), kernels, networks: results });
}
