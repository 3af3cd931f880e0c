import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openResults, requireReadable, salvageRows } from '../../campaign/index.js';
import { BitcellError, createRandomStream } from '../../core/index.js';
import { correctOf, makeStore, openSmall, saveNext } from '../campaign/store/small-study.js';

export interface StoreFuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** Number of the first case, to repeat a failure; default: 0. */
  readonly first?: number;
  readonly onCase?: (done: number) => void;
}

export interface StoreFuzzResult {
  /** Stores that opened and held the trials of the study, or the first of them. */
  readonly read: number;
  /** Stores that were refused by a message that names them. */
  readonly refused: number;
  readonly failure?: {
    /** Number of the case. */
    readonly case: number;
    readonly what: string;
    /** Where the damaged store is. */
    readonly folder: string;
  };
}

interface StoreFiles {
  readonly file: Buffer;
  readonly log: Buffer;
}

/** Draws of one case, one after the other. */
type Draw = (below: number) => number;

/** Length of DuckDB's headers, and of its blocks. */
const HEADERS = 12_288;
const BLOCK = 262_144;

/** Purpose of the random streams: none of Bitcell's own. */
const PURPOSE_OF_FUZZ = 63;

type Damage = (store: StoreFiles, other: StoreFiles, draw: Draw) => StoreFiles;

/** Whole blocks in other places, of which DuckDB may die: each has the checksum of its content. */
const MOVES: readonly Damage[] = [
  ({ file, log }, _, draw) => ({ file: withBlockMoved(file, file, draw), log }),
  ({ file, log }, other, draw) => ({ file: withBlockMoved(file, other.file, draw), log }),
];

/** Ways to damage a store; the log of a whole one is empty. */
const DAMAGES: readonly Damage[] = [
  ...MOVES,
  ({ file, log }, _, draw) => ({ file: flipped(file, 0, file.length, draw), log }),
  ({ file, log }, _, draw) => ({ file: flipped(file, 0, HEADERS, draw), log }),
  ({ file, log }, _, draw) => ({ file: file.subarray(0, draw(file.length)), log }),
  ({ file, log }, _, draw) => ({ file: zeroed(file, draw), log }),
  ({ file, log }, _, draw) => ({ file: Buffer.concat([file, garbage(draw)]), log }),
  ({ log }, _, draw) => ({ file: garbage(draw), log }),
  ({ file, log }, _, draw) => ({ file, log: flipped(log, 0, log.length, draw) }),
  ({ file, log }, _, draw) => ({ file, log: flipped(log, 0, 64, draw) }),
  ({ file, log }, _, draw) => ({ file, log: log.subarray(0, draw(log.length + 1)) }),
  ({ file, log }, _, draw) => ({ file, log: zeroed(log, draw) }),
  ({ file, log }, _, draw) => ({ file, log: Buffer.concat([log, garbage(draw)]) }),
  ({ file, log }) => ({ file, log: Buffer.concat([log, log]) }),
  ({ file }, other) => ({ file, log: other.log }),
  ({ file }, _, draw) => ({ file, log: garbage(draw) }),
];

function flipped(bytes: Buffer, from: number, to: number, draw: Draw): Buffer {
  const copy = Buffer.from(bytes);
  const length = Math.min(to, bytes.length) - from;
  for (let times = 1 + draw(4); times > 0 && length > 0; times -= 1) {
    copy[from + draw(length)] ^= 1 << draw(8);
  }
  return copy;
}

function zeroed(bytes: Buffer, draw: Draw): Buffer {
  const start = draw(bytes.length + 1);
  return Buffer.from(bytes).fill(0, start, Math.min(bytes.length, start + 1 + draw(8192)));
}

function withBlockMoved(to: Buffer, from: Buffer, draw: Draw): Buffer {
  const copy = Buffer.from(to);
  const place = (bytes: Buffer) => HEADERS + BLOCK * draw(Math.floor(bytes.length / BLOCK));
  const [source, target] = [place(from), place(to)];
  from.copy(copy, target, source, source + BLOCK);
  return copy;
}

function garbage(draw: Draw): Buffer {
  return Buffer.from(Array.from({ length: draw(2000) }, () => draw(256)));
}

/**
 * Damage stores at random, and look at what reading them gives, and salvaging or continuing every fourth: the trials that were saved or
 * the first of them, or an error of Bitcell's that names the store.
 */
export async function fuzzStores(options: StoreFuzzOptions): Promise<StoreFuzzResult> {
  const { cases, seed, first = 0, onCase } = options;
  const root = mkdtempSync(join(tmpdir(), 'bitcell-fuzz-'));
  const stores = await makeStores(root);
  const counts = { read: 0, refused: 0 };
  const folder = join(root, 'damaged');
  for (let number = first; number < first + cases; number += 1) {
    const stream = createRandomStream(seed, number, PURPOSE_OF_FUZZ);
    let draws = 0;
    const draw: Draw = (below) => stream.integerBelow(below, draws++);
    const which = draw(stores.length);
    const damage = DAMAGES[draw(DAMAGES.length)];
    const damaged = damage(stores[which], stores[(which + 1) % stores.length], draw);
    try {
      counts[await lookAt(folder, damaged, { number, isMoved: MOVES.includes(damage) })] += 1;
    } catch (error) {
      put(folder, damaged);
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { ...counts, failure: { case: number, what, folder } };
    }
    onCase?.(number - first + 1);
  }
  rmSync(root, { recursive: true });
  return counts;
}

/** A finished study, and two that were killed. */
async function makeStores(root: string): Promise<StoreFiles[]> {
  const [finished, killed, other] = ['finished', 'killed', 'other'].map((name) => join(root, name));
  await makeStore(finished, 8);
  const stores = [filesOf(finished)];
  for (const [folder, maps] of [
    [killed, 6],
    [other, 3],
  ] as const) {
    const store = await openSmall(folder);
    for (let map = 0; map < maps; map += 1) await saveNext(store, map);
    cpSync(folder, `${folder}-kept`, { recursive: true });
    store.close();
    stores.push(filesOf(`${folder}-kept`));
  }
  return stores;
}

function filesOf(folder: string): StoreFiles {
  const log = join(folder, 'study.duckdb.wal');
  return {
    file: readFileSync(join(folder, 'study.duckdb')),
    log: existsSync(log) ? readFileSync(log) : Buffer.alloc(0),
  };
}

function put(folder: string, { file, log }: StoreFiles): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'study.duckdb'), file);
  if (log.length > 0) writeFileSync(join(folder, 'study.duckdb.wal'), log);
}

async function lookAt(
  folder: string,
  damaged: StoreFiles,
  { number, isMoved }: { readonly number: number; readonly isMoved: boolean },
): Promise<'read' | 'refused'> {
  put(folder, damaged);
  // As the commands do, but only where it can matter: starting a process takes longer than all the rest.
  if (isMoved && (await outcome(folder, () => requireReadable(folder))) === 'refused') {
    return 'refused';
  }
  const reading = await outcome(folder, async () => {
    const stored = await openResults(folder);
    try {
      requireTrials(await stored.rows('trial', {}));
      await stored.rows('point', {});
    } finally {
      stored.close();
    }
  });
  // Both take longer than reading, which they begin with.
  if (number % 4 === 1) {
    await outcome(folder, async () => requireTrials(await salvageRows(folder, 'trial'), true));
  }
  if (number % 4 === 3) {
    await outcome(folder, async () => {
      const store = await openSmall(folder);
      // A damaged index is noticed when it is needed.
      await saveNext(store, store.finished.length).finally(() => store.close());
    });
  }
  return reading;
}

/** @throws anything that is no error of Bitcell's about the store */
async function outcome(folder: string, work: () => Promise<void>): Promise<'read' | 'refused'> {
  try {
    await work();
    return 'read';
  } catch (error) {
    if (!(error instanceof BitcellError) || !error.message.includes(folder)) throw error;
    if (/\n/.test(error.message)) throw new Error(`lines in a message: ${error.message}`);
    return 'refused';
  }
}

/** Check that trials are those of the study, and, unless some may be lost, that they are the first. */
function requireTrials(
  {
    columns,
    rows,
  }: { readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] },
  mayMissSome = false,
): void {
  const [map, mitigation, correct] = ['map', 'mitigation', 'correct'].map((name) =>
    columns.indexOf(name),
  );
  for (const [index, row] of rows.entries()) {
    const place = row[mitigation] === 'none' ? 0 : 1;
    const isNext = row[map] === index >> 1 && place === (index & 1);
    if (!(isNext || mayMissSome) || row[correct] !== correctOf(Number(row[map]), place)) {
      throw new Error(`other trials than were saved: ${JSON.stringify(rows.slice(0, 20))}`);
    }
  }
}
