import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect } from 'vitest';
import {
  type Condition,
  MOST_MAPS,
  openResults,
  openStore,
  type StoreOptions,
  type StudyStore,
} from '../../../campaign/index.js';
import { packageRoot } from '../../../core/index.js';

/** Compiled, because the other process runs no TypeScript; `npm test` builds it first. */
const STORE = pathToFileURL(join(packageRoot(), 'dist', 'campaign', 'store', 'index.js')).href;

const CONDITION: Condition = {
  index: 0,
  model: 'alexnet',
  format: 'int8',
  accelerator: 'edge-16x16',
  storage: 'weights',
  source: { kind: 'model', name: 'flip', model: { model: 'uniform', faults: 'flip' } },
  scope: 'all',
  rate: 1e-3,
};

const OPTIONS: StoreOptions = {
  configuration: { mitigations: ['none', 'clip'], seed: 1 },
  versions: { bitcell: '0' },
  code: 'a',
  repeat: () => Promise.reject(new Error('the code is the same')),
  conditions: [CONDITION],
  mitigations: ['none', 'clip'],
  mapsOf: () => 1_000_000,
  seed: 1,
  resume: true,
};

/** Trials of the pilot, and the number of the first: behind the maps of any study. */
const PILOTS = 3;
const FIRST_PILOT = MOST_MAPS;

/**
 * A process that saves trials of maps 0, 1, … from the first one missing on, until it is killed. On stdout it says
 * `found N` when it has opened the store and `saved N` after each transaction; N is the number of trials, of which the
 * first PILOTS are those of a pilot.
 * Now and then it closes the store, which makes DuckDB move its log into its file, and opens it again.
 */
const PROGRAM = `
import { writeSync } from 'node:fs';
const [, folder, most, batch] = process.argv;
const { openStore } = await import(${JSON.stringify(STORE)});
const options = ${JSON.stringify(OPTIONS)};
const trial = (number) => {
  const isPilot = number < ${PILOTS};
  return resultOf(isPilot ? ${FIRST_PILOT} + number : number - ${PILOTS}, isPilot ? 10 : 100);
};
const resultOf = (map, images) => ({
  trial: { condition: 0, map, images, mitigations: ['none', 'clip'] },
  requested: 10.5, injected: map + 7, cleanCorrect: images,
  outcomes: ['none', 'clip'].map((mitigation, index) => (
    { mitigation, correct: (map * 7 + index) % (images + 1), sdc: map % 5, nonFinite: index, seconds: 0.25,
      effective: map, firstLayer: map % 3 ? 'conv' + map : null })),
});
const points = (maps) => ['none', 'clip'].map((mitigation) => ({
  condition: 0, complete: false,
  point: {
    model: 'alexnet', format: 'int8', accelerator: 'edge-16x16', storage: 'weights', faultModel: 'flip', scope: 'all', mitigation,
    rate: 1e-3, maps, images: 100, accuracy: { mean: 0.5, low: 0, high: 1 },
    perMap: { worst: 0, lowerQuartile: 0.25, median: 0.5, upperQuartile: 0.75, best: 1 },
    yield: { within: 0.02, share: 0, low: 0, high: 1, imagesNeeded: 50 }, sdc: { share: 0, low: 0, high: 1 }, nonFinite: 0,
    faults: { requested: 0, injected: 0, effective: 0 },
  },
}));
const say = (text) => writeSync(1, text + '\\n');
let store;
try {
  store = await openStore(folder, { ...options, mapsOf: () => 1_000_000 });
  let maps = store.finished.length;
  say('found ' + maps);
  for (let round = 1; maps < Number(most); round += 1) {
    const next = Array.from({ length: Number(batch) || 1 + (round % 4) }, (_, index) => trial(maps + index));
    maps += next.length;
    await store.write(next, maps > ${PILOTS} ? points(maps - ${PILOTS}) : []);
    say('saved ' + maps);
    if (round % 10 === 0) {
      store.close();
      store = await openStore(folder, { ...options, mapsOf: () => 1_000_000 });
    }
  }
  say('done');
  await new Promise((resolve) => process.stdin.on('close', resolve).resume());
} catch (error) {
  say('error ' + error.message);
  // As a run does.
  store?.close();
  process.exit(1);
}
`;

const root = mkdtempSync(join(tmpdir(), 'bitcell-store-'));

afterAll(() => rmSync(root, { recursive: true, force: true }));

export function newFolder(): string {
  return join(mkdtempSync(join(root, 'folder-')), 'study');
}

export interface WriterProcess {
  readonly child: ChildProcess;
  /** The lines so far. */
  readonly lines: readonly string[];
  /** Resolves when there are so many lines that start with a word, or the process has ended. */
  said(word: string, times?: number): Promise<void>;
  readonly ended: Promise<void>;
}

export interface WriterOptions {
  /** Stop after so many maps, with the store open, until stdin is closed. */
  readonly most?: number;
  /** Maps a transaction; default: 1 to 4. */
  readonly batch?: number;
  /** No file may grow beyond so many KiB: writes fail as on a full disk. */
  readonly fileLimit?: number;
}

export function startWriter(folder: string, options: WriterOptions = {}): WriterProcess {
  const { most = Number.MAX_SAFE_INTEGER, batch = 0, fileLimit } = options;
  const args = ['--input-type=module', '--eval', PROGRAM, folder, String(most), String(batch)];
  const child =
    fileLimit === undefined
      ? spawn(process.execPath, args)
      : spawn('bash', [
          '-c',
          // A process that ignores the signal gets an error from the write instead.
          `trap '' XFSZ; ulimit -f ${fileLimit}; exec "$0" "$@"`,
          process.execPath,
          ...args,
        ]);
  const lines: string[] = [];
  let rest = '';
  let notify = () => {};
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    notify();
  });
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      over = true;
      notify();
      resolve();
    });
  });
  return {
    child,
    lines,
    ended,
    said: (word, times = 1) =>
      new Promise((resolve) => {
        notify = () => {
          const found = lines.filter((line) => line.startsWith(word)).length;
          if (found < times && !over) return;
          notify = () => {};
          resolve();
        };
        notify();
      }),
  };
}

export function openTestStore(
  folder: string,
  options: Partial<StoreOptions> = {},
): Promise<StudyStore> {
  return openStore(folder, { ...OPTIONS, ...options });
}

/** The number after the last line that starts with a word; -1 without one. */
export function lastNumber(lines: readonly string[], word: string): number {
  const line = lines.findLast((candidate) => candidate.startsWith(`${word} `));
  return line === undefined ? -1 : Number(line.slice(word.length + 1));
}

/**
 * Check that a store holds the trials 0 … N − 1, those of the pilot first, each once and unharmed, and the points as of
 * the last of them. Returns N.
 */
export async function checkContent(folder: string): Promise<number> {
  const stored = await openResults(folder);
  const { columns, rows } = await stored.rows('trial', {});
  const points = stored.points({});
  stored.close();
  const of = (name: string) => rows.map((row) => row[columns.indexOf(name)]);
  const count = rows.length / 2;
  const expected = Array.from({ length: rows.length }, (_, row) => {
    const trial = row >> 1;
    const isPilot = trial < PILOTS;
    return { isPilot, map: isPilot ? FIRST_PILOT + trial : trial - PILOTS, index: row & 1 };
  });
  expect(of('pilot')).toEqual(expected.map(({ isPilot }) => isPilot));
  expect(of('images')).toEqual(expected.map(({ isPilot }) => (isPilot ? 10 : 100)));
  expect(of('map')).toEqual(expected.map(({ map }) => map));
  expect(of('mitigation')).toEqual(expected.map(({ index }) => ['none', 'clip'][index]));
  expect(of('injected')).toEqual(expected.map(({ map }) => String(map + 7)));
  expect(of('first_layer')).toEqual(
    expected.map(({ map }) => (map % 3 === 0 ? null : `conv${map}`)),
  );
  expect(of('correct')).toEqual(
    expected.map(({ isPilot, map, index }) => (map * 7 + index) % (isPilot ? 11 : 101)),
  );
  const maps = Math.max(0, count - PILOTS);
  expect(points.map((point) => point.maps)).toEqual(maps === 0 ? [] : [maps, maps]);
  return count;
}
