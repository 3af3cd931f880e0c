/**
 * ResNet-50 and MobileNetV2 for 224×224 images, with random weights as ONNX files: `bitcell infer`, a study of
 * `bitcell run --input`, and onnxruntime on the same file and images. The commands run as whole processes, whose most
 * memory (VmHWM) and processor time count with all of their threads; onnxruntime's own time is that of its runs alone.
 * Linux only. After `npm run build`:
 *
 *   node bench/large-networks.mjs [NETWORK …] [--formats int8,float32] [--images 8] [--maps 20] [--rate 1e-5]
 *     [--threads 2] [--rounds 3] [--json] [--quick]
 *
 * `ratio` is the processor time of an image in `infer` beyond that of `infer` with one image, over onnxruntime's on one
 * thread, the median of the rounds; in each of them both take turns. `--quick` measures images of 32×32 once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeNpy } from 'bitcell/core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { fileOf, NETWORKS, randomImages } from './large-networks/networks.mjs';
import { measurement, printJson } from './measure.mjs';

const BITCELL = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** Kernel ticks in a second, of Linux on all processors of Node.js. */
const TICKS = 100;

const POLL_MILLISECONDS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    formats: { type: 'string', default: 'int8,float32' },
    images: { type: 'string', default: '8' },
    maps: { type: 'string', default: '20' },
    rate: { type: 'string', default: '1e-5' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const { size, images, maps, rounds } = values.quick
  ? { size: 32, images: 2, maps: 1, rounds: 1 }
  : {
      size: 224,
      images: Number(values.images),
      maps: Number(values.maps),
      rounds: Number(values.rounds),
    };

const folder = mkdtempSync(join(tmpdir(), 'bitcell-large-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const names = positionals.length > 0 ? positionals : Object.keys(NETWORKS);
  const results = [];
  for (const name of values.quick ? ['mobilenetv2'] : names) {
    if (!NETWORKS[name]) throw new Error(`there is no network ${name}`);
    const network = NETWORKS[name](size);
    for (const format of values.formats.split(',')) {
      const model = join(folder, `${name}-${format}.onnx`);
      writeFileSync(model, fileOf(network, format));
      const result = { network: name, format, ...(await measureFile(model)) };
      results.push(result);
      if (!values.json) process.stdout.write(lineOf(result));
    }
  }
  if (values.json) printJson({ size, images, maps, threads: Number(values.threads), results });
}

/** @param {string} model */
async function measureFile(model) {
  const input = samplesFile(images);
  const one = samplesFile(1);
  const threads = ['--threads', values.threads, '--quiet', '--json'];
  /** @param {string} file */
  const infer = (file) => [
    ...['infer', model, '--input', file, '--output', join(folder, 'y.npy'), ...threads],
  ];
  const study = [
    ...['run', '--model', model, '--input', input, '--maps', `${maps}`, '--rates', values.rate],
    ...['--images', `${images}`, '--mitigations', 'none', ...threads],
  ];
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  /** @type {Row[]} */
  const rows = [];
  for (let round = 0; round < rounds; round += 1) {
    const inferOne = await measured(infer(one));
    const inferAll = await measured(infer(input));
    const run = await measured(study);
    const onnxruntime = await timeOnnxruntime(session);
    const image = (inferAll.processor - inferOne.processor) / (images - 1);
    rows.push({ infer: inferAll, run, image, onnxruntime, ratio: image / onnxruntime });
  }
  await session.release();
  /**
   * @param {'infer' | 'run'} command
   * @param {string} name
   */
  const command = (command, name) => ({
    seconds: measurement(name, 's', of(rows, command, 'seconds')),
    processor: measurement(`${name}, processor time`, 's', of(rows, command, 'processor')),
    memory: measurement(`${name}, most memory`, 'bytes', of(rows, command, 'memory')),
  });
  return {
    infer: command('infer', 'bitcell infer'),
    run: command('run', 'bitcell run'),
    image: measurement('processor time of an image', 's', each(rows, 'image')),
    onnxruntime: measurement(
      'onnxruntime, processor time of an image',
      's',
      each(rows, 'onnxruntime'),
    ),
    ratio: measurement('an image over onnxruntime', '1', each(rows, 'ratio')),
  };
}

/** @typedef {{ seconds: number, processor: number, memory: number }} Usage */
/** @typedef {{ infer: Usage, run: Usage, image: number, onnxruntime: number, ratio: number }} Row */

/**
 * @param {readonly Row[]} rows
 * @param {'infer' | 'run'} command
 * @param {keyof Usage} what
 */
function of(rows, command, what) {
  return rows.map((row) => row[command][what]);
}

/**
 * @param {readonly Row[]} rows
 * @param {'image' | 'onnxruntime' | 'ratio'} what
 */
function each(rows, what) {
  return rows.map((row) => row[what]);
}

/** @param {number} count */
function samplesFile(count) {
  const path = join(folder, `x${count}.npy`);
  const data = randomImages(count * 3 * size * size);
  writeFileSync(path, encodeNpy({ shape: [count, 3, size, size], data }));
  return path;
}

/**
 * Run a command to its end.
 * @param {readonly string[]} args
 * @returns {Promise<Usage>}
 */
async function measured(args) {
  const started = performance.now();
  const child = spawn(process.execPath, [BITCELL, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const before = processorOfChildren();
  let memory = 0;
  const poll = setInterval(() => {
    memory = Math.max(memory, mostMemory(child.pid));
  }, POLL_MILLISECONDS);
  const [status] = await once(child, 'exit');
  clearInterval(poll);
  if (status !== 0) throw new Error(`bitcell ${args.join(' ')} ended with ${status}`);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, processor: processorOfChildren() - before, memory };
}

/**
 * Bytes of the most memory that a process has had; 0 once it has ended.
 * @param {number | undefined} pid
 */
function mostMemory(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Seconds of processor time of all processes that this one has waited for. */
function processorOfChildren() {
  const text = readFileSync('/proc/self/stat', 'utf8');
  // Behind the name, which may hold anything, the third field comes first; cutime and cstime are 16 and 17.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}

/**
 * Seconds of processor time of an image, one after the other.
 * @param {InferenceSession} session
 */
async function timeOnnxruntime(session) {
  const data = randomImages(3 * size * size);
  const feeds = { [session.inputNames[0]]: new Tensor('float32', data, [1, 3, size, size]) };
  await session.run(feeds);
  const before = process.cpuUsage();
  for (let image = 0; image < images; image += 1) await session.run(feeds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / images;
}

/** @param {{ network: string, format: string } & Awaited<ReturnType<typeof measureFile>>} result */
function lineOf({ network, format, infer, run, image, onnxruntime, ratio }) {
  /** @param {typeof infer} command */
  const text = ({ seconds, processor, memory }) =>
    `${seconds.median.toFixed(2)} s (${processor.median.toFixed(2)} s of processor time), ${(memory.median / 1e9).toFixed(2)} GB`;
  return [
    `${network} ${format}, load ${ratio.machine.load.toFixed(1)}:`,
    `  infer, ${images} images: ${text(infer)}`,
    `  run, ${maps} maps × ${images} images: ${text(run)}`,
    `  an image: ${(1000 * image.median).toFixed(1)} ms, onnxruntime ${(1000 * onnxruntime.median).toFixed(1)} ms, ratio ${ratio.median.toFixed(2)}`,
    '',
  ].join('\n');
}
