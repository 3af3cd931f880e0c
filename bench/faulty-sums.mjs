/**
 * Speed of the sums that pass faulty registers of a 16×16 array, by dataflow, beside the ordinary kernel of the layer,
 * one thread. After `npm run build`:
 *   node bench/faulty-sums.mjs [--json] [--formats int8,float32] [--quick]
 * Billions of multiply-accumulates of the definition a second of processor time: medians of rounds in each of which all
 * kernels run in turn. `--quick` takes one round of a small layer.
 */
import { parseArgs } from 'node:util';
import { featureCount, multiplyAccumulates, weightCount, windowSize } from 'bitcell/core';
import {
  compileKernels,
  createFaultySumsRunner,
  createWasmBackend,
  wasmBytesNeeded,
} from 'bitcell/kernels';

import { machine, median, printJson, requireFigures } from './measure.mjs';

/** @import { ConvolutionShape } from 'bitcell/core' */
/** @import { FaultySumsSpecification, SumGroup, SumSteps } from 'bitcell/kernels' */

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    formats: { type: 'string', default: 'int8,float32' },
    quick: { type: 'boolean', default: false },
  },
});
const ROUNDS = options.quick ? 1 : 15;
const SECONDS = options.quick ? 0.001 : 0.02;
const IMAGES = options.quick ? 1 : 16;
const SIDE = 16;
const FORMATS = /** @type {('int8' | 'float32')[]} */ (options.formats.split(','));
/** Channels and height of square layers of VGG-16. */
const LAYERS = options.quick
  ? [[32, 8]]
  : [
      [64, 32],
      [256, 8],
      [512, 4],
    ];

/**
 * @param {number} channels
 * @param {number} size
 * @returns {ConvolutionShape}
 */
function sameConvolution(channels, size) {
  const map = { channels, height: size, width: size };
  return {
    input: map,
    output: map,
    kernel: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups: 1,
  };
}

/**
 * Numbers below `count` that leave `remainder` when divided by the side of the array; all where it is undefined.
 * @param {number} count
 * @param {number} [remainder]
 */
function residueClass(count, remainder) {
  const all = Uint32Array.from({ length: count }, (_, number) => number);
  return all.filter((number) => remainder === undefined || number % SIDE === remainder);
}

/**
 * Steps whose sums, or products too, have a stuck bit.
 * @param {Uint32Array} at
 * @param {boolean} [withProducts]
 * @returns {SumSteps}
 */
function stuckSteps(at, withProducts = false) {
  const none = new Uint32Array(at.length);
  const all = new Uint32Array(at.length).fill(0xffffffff);
  const and = new Uint32Array(at.length).fill(0xffffffff - 64);
  return {
    at,
    product: { and: withProducts ? and : all, or: none, xor: none },
    sum: { and, or: none, xor: none },
  };
}

/** @param {number} length */
function bytes(length) {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
}

/**
 * What elements of an array disturb under each dataflow.
 * @type {Record<string, (shape: ConvolutionShape, weights: Int16Array | Float32Array) => SumGroup[]>}
 */
const CASES = {
  'weight-stationary, one element': (shape, weights) =>
    groupsOf(shape, weights, [undefined], [5], everySixteenth(shape)),
  'weight-stationary, one row': (shape, weights) =>
    groupsOf(shape, weights, [undefined], residues(), everySixteenth(shape)),
  'weight-stationary, one column': (shape, weights) =>
    groupsOf(shape, weights, [undefined], [5], everyPlace(shape)),
  'output-stationary, one element': (shape, weights) =>
    groupsOf(shape, weights, [3], [5], everyPlace(shape)),
  'output-stationary, one element, product and sum': (shape, weights) =>
    groupsOf(shape, weights, [3], [5], stuckSteps(residueClass(windowSize(shape)), true)),
  'output-stationary, all elements': (shape, weights) =>
    groupsOf(shape, weights, residues(), residues(), everyPlace(shape)),
  'input-stationary, one element': (shape, weights) =>
    groupsOf(shape, weights, [3], [undefined], everySixteenth(shape)),
  'without steps, all outputs': (shape, weights) =>
    groupsOf(shape, weights, [undefined], [undefined], stuckSteps(new Uint32Array())),
};

function residues() {
  return Array.from({ length: SIDE }, (_, remainder) => remainder);
}

/** @param {ConvolutionShape} shape */
function everySixteenth(shape) {
  return stuckSteps(residueClass(windowSize(shape), 7));
}

/** @param {ConvolutionShape} shape */
function everyPlace(shape) {
  return stuckSteps(residueClass(windowSize(shape)));
}

/**
 * @param {ConvolutionShape} shape
 * @param {Int16Array | Float32Array} weights
 * @param {(number | undefined)[]} positions residue classes
 * @param {(number | undefined)[]} channels residue classes
 * @param {SumSteps} steps
 * @returns {SumGroup[]}
 */
function groupsOf(shape, weights, positions, channels, steps) {
  const window = windowSize(shape);
  const { height, width, channels: count } = shape.output;
  const parts = channels.map((remainder) => {
    const own = residueClass(count, remainder);
    return { channels: own, weights: weights.slice(0, own.length * window), steps };
  });
  return positions.map((remainder) => ({
    positions: residueClass(height * width, remainder),
    parts,
  }));
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

/**
 * Runs that take long enough to be timed, and for V8 to optimise the kernels.
 * @param {() => void} run
 */
function repeatsOf(run) {
  let repeats = 1;
  while (time(run, repeats) < SECONDS) repeats *= 2;
  return repeats;
}

const module = compileKernels();
const runner = createFaultySumsRunner(module);

/**
 * The ordinary kernel of the layer.
 * @param {ConvolutionShape} shape
 * @param {'int8' | 'float32'} format
 * @returns {() => void}
 */
function ordinaryRun(shape, format) {
  /** @type {'uint8' | 'float32'} */
  const tensor = format === 'int8' ? 'uint8' : 'float32';
  const length = featureCount(shape.input);
  const tensors = [length, length].map((one) => ({ format: tensor, length: one }));
  const convolutions = [{ shape, format }];
  const backend = createWasmBackend(
    module,
    wasmBytesNeeded({ convolutions, tensors, images: IMAGES }),
  );
  const { channels } = shape.output;
  const random = bytes(weightCount(shape));
  if (format === 'int8') {
    const kernel = backend.int8Convolution({
      shape,
      inputZeroPoint: 3,
      weights: Int8Array.from(random, (byte) => (byte - 128) >> 2),
      weightZeroPoints: new Int32Array(channels),
      bias: new Int32Array(channels),
      multipliers: new Float32Array(channels).fill(1e-3),
      outputZeroPoint: 0,
      low: 0,
      high: 255,
    });
    const input = backend.allocateUint8(IMAGES * length);
    const output = backend.allocateUint8(IMAGES * length);
    input.set(bytes(input.length));
    return () => kernel.run(input, output, IMAGES);
  }
  const weights = Float32Array.from(random, (byte) => byte / 128 - 1);
  const bias = new Float32Array(channels);
  const kernel = backend.float32Convolution({ shape, weights, bias, relu: true });
  const input = backend.allocateFloat32(IMAGES * length);
  const output = backend.allocateFloat32(IMAGES * length);
  input.set(Float32Array.from(bytes(input.length), (byte) => byte / 256));
  return () => kernel.run(input, output, IMAGES);
}

/**
 * @param {FaultySumsSpecification} specification
 */
function productsOf({ shape, groups }) {
  let outputs = 0;
  for (const { positions, parts } of groups) {
    for (const { channels } of parts) outputs += positions.length * channels.length;
  }
  return IMAGES * outputs * windowSize(shape);
}

/**
 * @param {ConvolutionShape} shape
 * @param {'int8' | 'float32'} format
 */
function measureLayer(shape, format) {
  const isInt8 = format === 'int8';
  const random = bytes(weightCount(shape));
  const weights = isInt8
    ? Int16Array.from(random, (byte) => byte - 128)
    : Float32Array.from(random, (byte) => byte / 128 - 1);
  const { channels } = shape.output;
  const specifications = Object.values(CASES).map((groups) => ({
    format,
    shape,
    inputZeroPoint: isInt8 ? 3 : 0,
    bias: isInt8 ? new Int32Array(channels) : new Float32Array(channels),
    groups: groups(shape, weights),
  }));
  const input = isInt8
    ? bytes(IMAGES * featureCount(shape.input))
    : Float32Array.from(bytes(IMAGES * featureCount(shape.input)), (byte) => byte / 256);
  const prepareSeconds = specifications.map(() => /** @type {number[]} */ ([]));
  for (const [number, specification] of specifications.entries()) {
    for (let round = 0; round < Math.min(ROUNDS, 5); round++) {
      prepareSeconds[number].push(time(() => runner.prepare([specification]), 1));
    }
  }
  const runs = runner.prepare(specifications).map((kernel) => () => kernel.run(input, IMAGES));
  const all = [...runs, ordinaryRun(shape, format)];
  const repeats = all.map(repeatsOf);
  const seconds = all.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [number, run] of all.entries()) {
      seconds[number].push(time(run, repeats[number]) / repeats[number]);
    }
  }
  const products = [...specifications.map(productsOf), IMAGES * multiplyAccumulates(shape)];
  const whole = median(seconds[all.length - 1]);
  return [...Object.keys(CASES), 'ordinary kernel'].map((name, number) =>
    requireFigures({
      name,
      gmacPerSecond: products[number] / median(seconds[number]) / 1e9,
      timesTheOrdinaryKernel: median(seconds[number]) / whole,
      prepareMilliseconds:
        number < prepareSeconds.length ? median(prepareSeconds[number]) * 1e3 : 0,
    }),
  );
}

const results = LAYERS.flatMap(([channels, size]) =>
  FORMATS.map((format) => {
    const layer = `${channels}→${channels}, ${size}×${size}, ${format}`;
    const rows = measureLayer(sameConvolution(channels, size), format);
    if (!options.json) {
      process.stdout.write(`${layer}\n`);
      for (const { name, gmacPerSecond, timesTheOrdinaryKernel, prepareMilliseconds } of rows) {
        process.stdout.write(
          `  ${name}: ${gmacPerSecond.toFixed(1)} GMAC/s, ${timesTheOrdinaryKernel.toFixed(3)} × the time of the ordinary kernel, prepared in ${prepareMilliseconds.toFixed(1)} ms\n`,
        );
      }
    }
    return { layer, rows };
  }),
);
if (options.json) printJson({ schemaVersion: 1, images: IMAGES, machine: machine(), results });
