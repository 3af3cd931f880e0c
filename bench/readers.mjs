/**
 * Time and memory to read large files of measured faults: a dump of 890 block RAMs on one line (3.6 million digits),
 * and a table of 10⁷ lines, each a faulty cell. After `npm run build`: node bench/readers.mjs [--quick]
 * Prints JSON: the reader alone, in this process, in processor time, with the most memory that it took so far; the
 * whole command `bitcell map import` by the clock, which tells something on an idle machine alone; and the start of the
 * command, which `--help` is. `--quick` takes small files.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandomStream, sampleWithoutReplacement } from 'bitcell/core';
import { importFaultMap } from 'bitcell/fault';
import { measurement, printJson, timed } from './measure.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { blocks, lines, repeats } = values.quick
  ? { blocks: 8, lines: 10_000, repeats: 1 }
  : { blocks: 890, lines: 10_000_000, repeats: 5 };
const folder = mkdtempSync(join(tmpdir(), 'bitcell-readers-'));
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/**
 * Write a text in parts.
 * @param {string} name
 * @param {Iterable<string>} parts
 */
function write(name, parts) {
  const file = join(folder, name);
  const descriptor = openSync(file, 'w');
  for (const part of parts) writeSync(descriptor, part);
  closeSync(descriptor);
  return file;
}

/** A line of digits of a memory that was filled with ones, two faults a block. */
function* dump() {
  const digits = Array.from({ length: (blocks * 1024 * 16) / 4 }, () => 'f');
  const faulty = sampleWithoutReplacement(createRandomStream(1, 0, 0), digits.length, 2 * blocks);
  for (const digit of faulty) digits[digit] = 'e';
  yield `${digits.join('')}\n`;
}

/** A line for each of distinct cells, in no order. */
function* table() {
  yield 'bank,row,column,kind\n';
  for (let first = 0; first < lines; first += 100_000) {
    const count = Math.min(100_000, lines - first);
    yield Array.from({ length: count }, (_, index) => {
      const cell = (107 * (first + index)) % 2 ** 30;
      return `${cell >>> 24},${(cell >>> 12) & 4095},${cell & 4095},flip\n`;
    }).join('');
  }
}

/** @param {readonly string[]} args */
function run(args) {
  const { status, stderr } = spawnSync(process.execPath, [command, 'map', 'import', ...args]);
  if (status !== 0) throw new Error(`bitcell map import: ${stderr}`);
}

/**
 * @param {string} file
 * @param {{ readonly banks: number, readonly rows: number, readonly columns: number }} geometry
 * @param {number} times
 */
async function measure(file, geometry, times) {
  const reader = [];
  const whole = [];
  let faults = 0;
  for (let repeat = 0; repeat < times; repeat++) {
    const before = process.cpuUsage();
    faults = importFaultMap(file, { geometry }).map.cells.length;
    const { user, system } = process.cpuUsage(before);
    reader.push((user + system) / 1e6);
    const { banks, rows, columns } = geometry;
    const output = ['-o', join(folder, 'map.bfm')];
    whole.push(
      await timed(() => run([file, '--geometry', `${banks}x${rows}x${columns}`, ...output])),
    );
  }
  return {
    bytes: statSync(file).size,
    faults,
    reader: measurement('reader alone, processor time', 's', reader),
    // Of the process: that of the larger files comes last.
    largestMemory: { value: process.resourceUsage().maxRSS * 1024, unit: 'bytes' },
    command: measurement('bitcell map import', 's', whole),
  };
}

try {
  const starts = [];
  for (let repeat = 0; repeat < repeats; repeat++) starts.push(await timed(() => run(['--help'])));
  const ofDump = await measure(
    write('dump.hex', dump()),
    { banks: blocks, rows: 1024, columns: 16 },
    repeats,
  );
  const ofTable = await measure(
    write('table.csv', table()),
    { banks: 64, rows: 4096, columns: 4096 },
    1,
  );
  printJson({
    start: measurement('bitcell map import --help', 's', starts),
    dump: { blocks, ...ofDump },
    table: { lines, ...ofTable },
  });
} finally {
  rmSync(folder, { recursive: true });
}
