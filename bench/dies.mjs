/**
 * How many measured dies a second `bitcell run --fault-maps` judges, everything from start to end included: AlexNet in
 * int8 words, none and clip, each die with uniformly drawn cells of its own. After `npm run build`:
 * node bench/dies.mjs [--dies 400] [--faults 250] [--images 100] [--threads 2] [--placement resident,streamed] [--quick]
 * Prints JSON; the placements take turns.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadNetwork } from 'bitcell/campaign';
import { loadAccelerator, placeNetwork } from 'bitcell/sim';
import { xorshift } from 'bitcell/testing';
import { measurement, printJson } from './measure.mjs';

const { values } = parseArgs({
  options: {
    dies: { type: 'string' },
    faults: { type: 'string', default: '250' },
    images: { type: 'string' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string' },
    placement: { type: 'string', default: 'resident,streamed' },
    quick: { type: 'boolean', default: false },
  },
});
const dies = Number(values.dies ?? (values.quick ? 2 : 400));
const faults = Number(values.faults);
const images = values.images ?? (values.quick ? '2' : '100');
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const placements = /** @type {('resident' | 'streamed')[]} */ (values.placement.split(','));

const COMMAND = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const network = await loadNetwork('alexnet', 'int8');

/**
 * A table of dies whose faults lie in the memory of a placement.
 *
 * @param {'resident' | 'streamed'} placement
 */
function tableOf(placement) {
  const { geometry } = placeNetwork(network, loadAccelerator('edge-16x16'), placement);
  const { banks, rows, columns } = geometry;
  const random = xorshift(1);
  const lines = ['die,bank,row,column'];
  for (let die = 0; die < dies; die++) {
    const cells = new Set();
    while (cells.size < faults) cells.add(Math.floor(random() * banks * rows * columns));
    for (const cell of cells) {
      const row = Math.floor(cell / columns);
      lines.push(`D${die},${Math.floor(row / rows)},${row % rows},${cell % columns}`);
    }
  }
  return lines.join('\n');
}

/** Dies a second. @param {string} table @param {string} placement */
function rate(table, placement) {
  const options = ['--format', 'int8', '--placement', placement, '--mitigations', 'none,clip'];
  const size = ['--images', images, '--threads', values.threads];
  const started = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [COMMAND, 'run', ...options, ...size, '--fault-maps', table, '--json', '--quiet'],
    { maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`bitcell run ended with status ${status}: ${stderr}`);
  return (1000 * dies) / (performance.now() - started);
}

const folder = mkdtempSync(join(tmpdir(), 'bitcell-dies-'));
try {
  const tables = placements.map((placement) => {
    const table = join(folder, `${placement}.csv`);
    writeFileSync(table, `${tableOf(placement)}\n`);
    return { placement, table, samples: /** @type {number[]} */ ([]) };
  });
  for (let round = 0; round < rounds; round++) {
    for (const { placement, table, samples } of tables) samples.push(rate(table, placement));
  }
  printJson({
    ...{ dies, faults, images: Number(images) },
    rates: tables.map(({ placement, samples }) => measurement(placement, 'dies a second', samples)),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
