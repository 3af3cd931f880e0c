import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StudyPoint } from '../../campaign/index.js';
import { arrayLayers } from '../../models/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { CELLS, INT8_NETWORK, WEIGHTS, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model, float32 } = writeTinyNetwork(folder);
const memory = ['--model', model, '--format', 'int8'];
const geometry = { banks: 1, rows: 1024, columns: 256 };

async function createMap(rate: string, faults: string, ...options: string[]) {
  const file = join(newFolder(), 'map.json');
  const args = ['map', 'create', ...memory, '--rate', rate, '--faults', faults, '--output', file];
  return { file, result: await bitcellJson([...args, ...options]) };
}

function faultsIn(file: string): [number, number, number, string][] {
  return JSON.parse(readFileSync(file, 'utf8')).faults;
}

describe('map', () => {
  test('creates, shows and resolves the faults of a memory', async () => {
    const { file, result } = await createMap('1e-3', 'stuck-at', '--seed', '3', '--map', '2');
    const faults = faultsIn(file);
    expect(Math.abs(faults.length - 1e-3 * CELLS.int8)).toBeLessThan(1);
    expect(result).toEqual({
      output: file,
      geometry,
      cells: CELLS.int8,
      faults: faults.length,
      rate: 1e-3,
      model: { model: 'uniform', faults: 'stuck-at' },
      seed: 3,
      map: 2,
    });

    const ofKind = (kind: string) => faults.filter((fault) => fault[3] === kind).length;
    expect(await bitcellJson(['map', 'show', file])).toMatchObject({
      file,
      geometry,
      cells: CELLS.int8,
      faults: faults.length,
      rate: faults.length / CELLS.int8,
      kinds: { 'stuck-at-0': ofKind('stuck-at-0'), 'stuck-at-1': ofKind('stuck-at-1'), flip: 0 },
      provenance: {
        source: 'generated',
        model: { model: 'uniform', faults: 'stuck-at' },
        seed: 3,
        trial: 2,
        rate: 1e-3,
      },
    });

    const { hits, total, effective, effectiveFaults, faultyCells, layers, bits } =
      await bitcellJson(['map', 'hits', file, ...memory]);
    // Bit b of the word at address a is bit 64a + b of the memory; row r holds the words 4r … 4r + 3.
    const places = faults.map(([bank, row, column, kind]) => {
      const bitNumber = 64 * (4 * row + (column % 4)) + Math.floor(column / 4);
      const [weight, bit] = [Math.floor(bitNumber / 8), bitNumber % 8];
      return { bank, row, column, kind, weight, tile: 0, bit };
    });
    const reached = places.filter(({ weight }) => weight < WEIGHTS);
    const faultyByte = (weight: number) =>
      reached
        .filter((place) => place.weight === weight)
        .reduce(
          (word, { kind, bit }) => (kind === 'stuck-at-0' ? word & ~(1 << bit) : word | (1 << bit)),
          storedByte(weight),
        );
    const expected = reached.map((place) => {
      const [stored, faulty] = [storedByte(place.weight), faultyByte(place.weight)];
      return {
        ...place,
        ...placeOf(place.weight),
        stored: (stored << 24) >> 24,
        faulty: (faulty << 24) >> 24,
        storedWord: `0x${stored.toString(16).padStart(2, '0')}`,
        faultyWord: `0x${faulty.toString(16).padStart(2, '0')}`,
        effective: ((stored ^ faulty) >> place.bit) % 2 === 1,
      };
    });
    expect(hits).toEqual(expected);
    const changed = expected.filter((hit) => hit.effective);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThan(expected.length);
    expect({ total, effective, effectiveFaults }).toEqual({
      total: expected.length,
      effective: changed.length,
      effectiveFaults: changed.length,
    });
    const unused = faults.length - expected.length;
    expect(faultyCells).toEqual({ used: expected.length, unused, check: 0, spare: 0 });
    const count = (test: (hit: (typeof expected)[number]) => boolean) => ({
      hits: expected.filter(test).length,
      effective: changed.filter(test).length,
    });
    expect(layers).toEqual(
      ['conv1', 'fc1', 'fc2'].map((name) => ({ name, ...count(({ layer }) => layer === name) })),
    );
    expect(bits).toEqual(
      Array.from({ length: 8 }, (_, bit) => ({ bit, ...count((hit) => hit.bit === bit) })),
    );
  });

  test('lists the weights of every second tile that a cell of a streamed memory holds, as CSV', async () => {
    const folder = newFolder();
    const accelerator = join(folder, 'small.json');
    const weightMemory = { banks: 1, rows: 32, wordBits: 32, columnMux: 2 };
    const array = { rows: 4, columns: 4, dataflow: 'weight-stationary' };
    writeFileSync(accelerator, JSON.stringify({ name: 'small', array, weightMemory }));
    const file = join(folder, 'map.json');
    const place = ['--model', float32, '--format', 'float32', '--placement', 'streamed'];
    const options = [...place, '--accelerator', accelerator];
    const create = ['map', 'create', '--rate', '1e-2', '--output', file, ...options];
    expect((await bitcell(create)).status).toBe(0);

    const { hits, total } = await bitcellJson(['map', 'hits', file, ...options]);
    const listed = hits as Record<string, number | string | boolean | null>[];
    expect(listed).toHaveLength(total as number);
    // 64 words of one weight each: two halves of 32, so 268 tiles of the stream.
    const tiles = Math.ceil(WEIGHTS / 32);
    for (const [index, hit] of listed.entries()) {
      const next = listed[index + 1];
      const sameCell = next?.row === hit.row && next.column === hit.column;
      if (sameCell) expect(next.tile).toBe((hit.tile as number) + 2);
      else expect(hit.tile).toBeGreaterThanOrEqual(tiles - 3);
      const word = Number.parseInt(hit.storedWord as string, 16);
      expect(hit.stored).toBe(new Float32Array(Uint32Array.of(word).buffer)[0]);
      expect(hit.effective).toBe(true);
    }

    const csv = join(folder, 'hits.csv');
    const written = await bitcell(['map', 'hits', file, ...options, '--csv', csv]);
    expect(written.stdout).toContain(`${total} hits`.replace(/\B(?=(\d{3})+ )/g, ','));
    const printed = await bitcell(['map', 'hits', file, ...options, '--csv', '-']);
    expect(printed.stdout).toBe(readFileSync(csv, 'utf8'));
    const [head, ...lines] = printed.stdout.trimEnd().split('\n');
    const columns = head.split(',');
    expect(columns).toEqual(
      'bank,row,column,kind,layer,tile,outputChannel,inputChannel,ky,kx,weight,bit,stored,faulty,storedWord,faultyWord,effective'.split(
        ',',
      ),
    );
    expect(lines).toEqual(
      listed.map((hit) =>
        // JSON has no NaN and no infinity; the words tell.
        columns.map((column) => hit[column] ?? realOf(hit[`${column}Word`] as string)).join(),
      ),
    );
  });

  test('writes CSV or JSON, not both', async () => {
    expect(await refusal(['map', 'hits', 'map.json', '--csv', '-', '--json'])).toBe(
      "option '--csv <file>' cannot be used with option '--json'",
    );
  });

  test('gives a study the map that it would draw itself', async () => {
    const { file } = await createMap('1e-3', 'flip', '--seed', '3');
    const args = ['run', '--model', model, '--format', 'int8', '--seed', '3', '--images', '50'];
    const [given, drawn] = await Promise.all([
      bitcellJson([...args, '--mitigations', 'none', '--fault-map', file]),
      bitcellJson([...args, '--mitigations', 'none', '--rates', '1e-3', '--maps', '1']),
    ]);
    const [[point], [own]] = [given.points as StudyPoint[], drawn.points as StudyPoint[]];
    expect(point.accuracy.mean).toBe(own.accuracy.mean);
    expect(point.faults.injected).toBe(own.faults.injected);
    const { hits } = await bitcellJson(['map', 'hits', file, ...memory]);
    expect(point.faults.effective).toBe((hits as unknown[]).length);
    expect(own.faults.effective).toBe(point.faults.effective);
  });

  test('holds every fault of a lower rate, and lists no more hits than asked for', async () => {
    const [low, high] = await Promise.all([createMap('1e-4', 'flip'), createMap('1e-3', 'flip')]);
    expect(faultsIn(high.file)).toEqual(expect.arrayContaining(faultsIn(low.file)));
    const args = ['map', 'hits', high.file, ...memory, '--limit', '3'];
    const { hits, total } = await bitcellJson(args);
    expect(hits).toHaveLength(3);
    expect(total).toBeGreaterThan(3);
    const { stdout } = await bitcell(args);
    expect(
      stdout
        .split('\n')
        .slice(4, 8)
        .map((line) => /^ +0 +\d+/.test(line)),
    ).toEqual([true, true, true, false]);
  });
});

/** A weight's byte in network order. */
function storedByte(weight: number): number {
  const all = arrayLayers(INT8_NETWORK).flatMap(({ weights }) => Array.from(weights));
  return all[weight] & 0xff;
}

/** The number that IEEE 754 bits in hexadecimal stand for. */
function realOf(word: string): number {
  return new Float32Array(Uint32Array.of(Number.parseInt(word, 16)).buffer)[0];
}

/** Layer and indices of a weight in network order: output channel, input channel, ky, kx. */
function placeOf(weight: number) {
  if (weight < 216) {
    const [outputChannel, rest] = [Math.floor(weight / 27), weight % 27];
    const [inputChannel, tap] = [Math.floor(rest / 9), rest % 9];
    return { layer: 'conv1', outputChannel, inputChannel, ky: Math.floor(tap / 3), kx: tap % 3 };
  }
  const second = weight < 216 + 8192;
  const index = second ? weight - 216 : weight - 216 - 8192;
  const inputs = second ? 512 : 16;
  const [outputChannel, inputChannel] = [Math.floor(index / inputs), index % inputs];
  return { layer: second ? 'fc1' : 'fc2', outputChannel, inputChannel, ky: 0, kx: 0 };
}
