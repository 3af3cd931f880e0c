/**
 * `bitcell run` against the loop that a user would write with onnxruntime (`plain-loop/loop.mjs`), both as whole
 * processes in which everything is counted: start, reading files, drawing and putting in faults, sessions, images. Same
 * network, rate, maps, images and threads. After `npm run build`:
 *
 *   node bench/plain-loop.mjs [CASE …] [--rounds 5] [--kernels native] [--json] [--quick]
 *
 * Without cases all of them: `--list` names them. In each round the two take turns. First the loop chooses between
 * worker threads with sessions of one thread and one session of as many threads, and between batches, by a run of
 * each with a quarter of the maps. The ratio is that of the loop's time to Bitcell's, the median of the rounds. Processor time is that of the
 * process with all of its threads (Linux).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadNetwork, unpackCifar10, writeFloat32, writeQdq, zooThresholds } from 'bitcell/models';
import { measurement, median, printJson } from './measure.mjs';

/** @import { WordFormat } from 'bitcell/models' */

const LOOP = fileURLToPath(new URL('./plain-loop/loop.mjs', import.meta.url));
const BITCELL = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** Kernel ticks in a second, of Linux on all processors of Node.js. */
const TICKS = 100;

/**
 * @typedef {object} Case
 * @property {string} model
 * @property {WordFormat} format
 * @property {'none' | 'clip'} mitigation
 * @property {string} rate
 * @property {number} maps
 */

/** @type {Readonly<Record<string, Case>>} */
const CASES = {
  'vgg16-int8-1e-2': { ...int8('vgg16'), rate: '1e-2', maps: 60 },
  'vgg16-int8-1e-3': { ...int8('vgg16'), rate: '1e-3', maps: 60 },
  'vgg16-int8-1e-2-short': { ...int8('vgg16'), rate: '1e-2', maps: 20 },
  'vgg16-int8-1e-3-short': { ...int8('vgg16'), rate: '1e-3', maps: 20 },
  'alexnet-int8-1e-2': { ...int8('alexnet'), rate: '1e-2', maps: 60 },
  'alexnet-int8-1e-3': { ...int8('alexnet'), rate: '1e-3', maps: 60 },
  'vgg16-int8-clip-1e-3': { ...int8('vgg16'), mitigation: 'clip', rate: '1e-3', maps: 60 },
  'vgg16-float32-1e-6': { ...int8('vgg16'), format: 'float32', rate: '1e-6', maps: 20 },
};

/**
 * A network without mitigation.
 * @param {string} model
 * @returns {Pick<Case, 'model' | 'format' | 'mitigation'>}
 */
function int8(model) {
  return { model, format: 'int8', mitigation: 'none' };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    images: { type: 'string', default: '100' },
    threads: { type: 'string', default: '2' },
    kernels: { type: 'string' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const { images, threads } = values.quick ? { images: '4', threads: '1' } : values;
const rounds = values.quick ? 1 : Number(values.rounds);

const folder = mkdtempSync(join(tmpdir(), 'bitcell-loop-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  if (values.list) {
    process.stdout.write(`${Object.keys(CASES).join('\n')}\n`);
    return;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(CASES);
  const results = [];
  for (const name of values.quick ? ['alexnet-int8-1e-3'] : names) {
    const one = CASES[name];
    if (!one) throw new Error(`there is no case ${name}: --list names them`);
    const result = compare(name, values.quick ? { ...one, maps: 1 } : one);
    results.push(result);
    if (!values.json) process.stdout.write(lineOf(result));
  }
  if (values.json) printJson({ images: Number(images), threads: Number(threads), results });
}

/**
 * @param {string} name
 * @param {Case} one
 */
function compare(name, one) {
  const loopArgs = [
    ...[LOOP, '--model', fileFor(one), '--data', join(unpackCifar10(), 'test_batch.bin')],
    ...['--rate', one.rate, '--images', images, '--threads', threads],
  ];
  const bitcellArgs = [
    ...[BITCELL, 'run', '--model', one.model, '--format', one.format, '--rates', one.rate],
    ...['--maps', `${one.maps}`, '--images', images, '--threads', threads],
    ...['--mitigations', one.mitigation, '--quiet', '--json'],
    ...(values.kernels === undefined ? [] : ['--kernels', values.kernels]),
  ];
  const ways = ['workers', 'sessions'].flatMap((how) =>
    ['100', '20'].map((batch) => ['--how', how, '--batch', batch]),
  );
  const tried = (values.quick ? ways.slice(0, 1) : ways).map((way) => ({
    way,
    ...measured([...loopArgs, '--maps', `${Math.ceil(one.maps / 4)}`, ...way]),
  }));
  const [{ way }] = tried.toSorted((a, b) => a.seconds - b.seconds);
  const samples = Array.from({ length: rounds }, () => ({
    bitcell: measured(bitcellArgs),
    loop: measured([...loopArgs, '--maps', `${one.maps}`, ...way]),
  }));
  const [{ bitcell, loop }] = samples;
  const of = (
    /** @type {'bitcell' | 'loop'} */ side,
    /** @type {'seconds' | 'processor'} */ what,
  ) => samples.map((sample) => sample[side][what]);
  const ratios = (/** @type {'seconds' | 'processor'} */ what) =>
    samples.map((sample) => sample.loop[what] / sample.bitcell[what]);
  return {
    ...{ name, ...one, kernels: bitcell.output.kernels, way: way.join(' ') },
    accuracy: { bitcell: bitcell.output.points[0].accuracy.mean, loop: loop.output.accuracy },
    bitcell: measurement('bitcell run', 's', of('bitcell', 'seconds')),
    loop: measurement('plain loop', 's', of('loop', 'seconds')),
    ratio: measurement('time of the loop over that of bitcell run', '1', ratios('seconds')),
    ...(process.platform === 'linux' && {
      processorSeconds: {
        bitcell: median(of('bitcell', 'processor')),
        loop: median(of('loop', 'processor')),
        ratio: median(ratios('processor')),
      },
    }),
  };
}

/** @param {ReturnType<typeof compare>} result */
function lineOf({ name, maps, kernels, way, accuracy, bitcell, loop, ratio, processorSeconds }) {
  const { processor, load } = ratio.machine;
  const spread = `${Math.min(...ratio.samples).toFixed(2)} to ${Math.max(...ratio.samples).toFixed(2)}`;
  const cpu = processorSeconds
    ? `, processor time ${processorSeconds.loop.toFixed(1)} and ${processorSeconds.bitcell.toFixed(1)} s (${processorSeconds.ratio.toFixed(2)})`
    : '';
  return [
    `${name}, ${maps} maps × ${images} images, ${threads} threads, ${JSON.stringify(kernels)}:`,
    `  ratio ${ratio.median.toFixed(2)} (${spread}): loop ${loop.median.toFixed(2)} s (${way}), bitcell ${bitcell.median.toFixed(2)} s${cpu}`,
    `  accuracy ${accuracy.loop.toFixed(4)} and ${accuracy.bitcell.toFixed(4)}; ${processor}, load ${load.toFixed(1)}`,
    '',
  ].join('\n');
}

/**
 * The ONNX file of a network for onnxruntime; int8 words with clips as `bitcell export` writes them, in standard
 * operators, because onnxruntime has no other way to clip accumulators.
 * @param {Case} one
 */
function fileFor({ model, format, mitigation }) {
  const path = join(folder, `${model}-${format}-${mitigation}.onnx`);
  if (mitigation === 'none') {
    const network = loadNetwork(model, format);
    writeFileSync(path, network.format === 'int8' ? writeQdq(network) : writeFloat32(network));
    return path;
  }
  const thresholds = zooThresholds(model);
  if (thresholds === undefined) throw new Error(`no thresholds of ${model}`);
  execFileSync(process.execPath, [
    ...[BITCELL, 'export', '--model', model, '--format', format, '--mitigation', mitigation],
    ...['--thresholds', thresholds, '--output', path, '--quiet'],
  ]);
  return path;
}

/**
 * Run a program to its end.
 * @param {readonly string[]} args of Node.js
 */
function measured(args) {
  const before = processorOfChildren();
  const started = performance.now();
  const text = execFileSync(process.execPath, args, { maxBuffer: 2 ** 28 }).toString();
  const seconds = (performance.now() - started) / 1000;
  return { seconds, processor: processorOfChildren() - before, output: JSON.parse(text) };
}

/** Seconds of processor time of all processes that this one has waited for; elsewhere than on Linux NaN. */
function processorOfChildren() {
  if (process.platform !== 'linux') return Number.NaN;
  const text = readFileSync('/proc/self/stat', 'utf8');
  // Behind the name, which may hold anything, the third field comes first; cutime and cstime are 16 and 17.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}
