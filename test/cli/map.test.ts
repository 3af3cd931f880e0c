import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StudyPoint } from '../../campaign/index.js';
import { weightedLayers } from '../../models/index.js';
import { bitcell, bitcellJson, newFolder } from './command.js';
import { CELLS, INT8_NETWORK, WEIGHTS, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model } = writeTinyNetwork(folder);
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

    const { hits, total, effective } = await bitcellJson(['map', 'hits', file, ...memory]);
    // Bit b of the word at address a is bit 64a + b of the memory; row r holds the words 4r … 4r + 3.
    const expected = faults.flatMap(([bank, row, column, kind]) => {
      const bitNumber = 64 * (4 * row + (column % 4)) + Math.floor(column / 4);
      const [weight, bit] = [Math.floor(bitNumber / 8), bitNumber % 8];
      if (weight >= WEIGHTS) return [];
      const stored = storedByte(weight);
      const mask = 1 << bit;
      const faulty = kind === 'stuck-at-0' ? stored & ~mask : stored | mask;
      const place = placeOf(weight);
      return [
        {
          bank,
          row,
          column,
          kind,
          weight,
          bit,
          stored,
          faulty,
          effective: faulty !== stored,
          ...place,
        },
      ];
    });
    expect(hits).toEqual(expected);
    expect(total).toBe(expected.length);
    expect(effective).toBe(expected.filter((hit) => hit.effective).length);
    expect(effective).toBeGreaterThan(0);
    expect(effective).toBeLessThan(expected.length);
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
        .slice(2, 6)
        .map((line) => /^ +0 +\d+/.test(line)),
    ).toEqual([true, true, true, false]);
  });
});

/** A weight's byte in network order. */
function storedByte(weight: number): number {
  const all = weightedLayers(INT8_NETWORK).flatMap(({ weights }) => Array.from(weights));
  return all[weight] & 0xff;
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
