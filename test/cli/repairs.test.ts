import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StudyPoint } from '../../campaign/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const files = writeTinyNetwork(newFolder());
const common = ['--model', files.int8, '--format', 'int8', '--images', '3'];

/** What points say of repairs and in remarks, by mitigation. */
function notesOf(points: unknown) {
  return Object.fromEntries(
    (points as StudyPoint[]).map(({ mitigation, repairs, remarks }) => [
      mitigation,
      { ...(repairs && { repairs }), ...(remarks && { remarks }) },
    ]),
  );
}

test('repairs of drawn maps are saved, and told by results and a study that goes on', async () => {
  const folder = join(newFolder(), 'study');
  const study = [
    ...['run', ...common, '--rates', '1e-3', '--maps', '3', '--seed', '5'],
    ...['--mitigations', 'none,spares:rows=20:columns=20,spares:rows=1:columns=1+secded'],
    ...['--out', folder],
  ];
  const { points } = await bitcellJson(study);
  const notes = notesOf(points);
  const [none, many, few] = Object.values(notes);
  expect(none).toEqual({});
  // The tiny network is in one bank, of which each of three maps has 262 faulty cells of data and more of check bits.
  expect(many.repairs).toMatchObject({ banks: 3, repaired: 0 });
  expect(few.repairs?.uncoveredCells).toBeGreaterThan(many.repairs?.uncoveredCells ?? Infinity);
  expect(notesOf((await bitcellJson(['results', folder])).points)).toEqual(notes);
  expect(notesOf((await bitcellJson([...study, '--resume'])).points)).toEqual(notes);
  const { stdout } = await bitcell(['results', folder]);
  const isProved = many.repairs?.notProvedOptimal === 0;
  expect(stdout.includes('Note: spares:rows=20:columns=20: of some banks the choice')).toBe(
    !isProved,
  );
  expect(stdout).not.toContain('Note: none');
});

test('what a given map does not measure is remarked in every way of printing a study', async () => {
  const map = join(newFolder(), 'map.json');
  const memory = ['--accelerator', 'edge-16x16', '--model', files.int8, '--format', 'int8'];
  const create = ['map', 'create', '--rate', '1e-3', '--seed', '2', '--output', map];
  expect((await bitcell([...create, ...memory])).stderr).toBe('');
  const folder = join(newFolder(), 'study');
  const spares = 'spares:rows=2:columns=2';
  const study = ['run', ...common, '--fault-map', map, '--out', folder];
  study.push('--mitigations', `none,rotate,${spares}`);
  const notes = notesOf((await bitcellJson(study)).points);
  expect(notes.none).toEqual({});
  expect(notes.rotate).toEqual({ remarks: ['check cells not measured: taken as perfect'] });
  expect(notes[spares].remarks).toEqual(['spare cells not measured: taken as perfect']);
  expect(notes[spares].repairs?.banks).toBe(1);
  expect(notesOf((await bitcellJson(['results', folder])).points)).toEqual(notes);
  expect(notesOf((await bitcellJson([...study, '--resume'])).points)).toEqual(notes);
  const { stdout } = await bitcell(['results', folder]);
  expect(stdout).toContain('Note: rotate: check cells not measured: taken as perfect.');
  expect(stdout).toContain(`Note: ${spares}: spare cells not measured: taken as perfect.`);

  const hits = await bitcellJson(['map', 'hits', map, ...memory, '--mitigation', spares]);
  expect(hits).toMatchObject({ repairs: notes[spares].repairs, remarks: notes[spares].remarks });
  const reordered = await bitcellJson(['map', 'hits', map, ...memory, '--mitigation', 'reorder']);
  expect(reordered.repairs).toBeUndefined();
  expect(reordered.remarks).toEqual([
    'the cells are listed with the weights of the network as it is: reorder keeps others in them',
  ]);
  // The map tells its seed and number, by which it is decided what a part knows.
  const knows = 'closest-value:knows=share/';
  const [none, half, all, whole] = await Promise.all(
    [`${knows}0`, `${knows}0.5`, `${knows}1`, 'closest-value'].map(async (mitigation) => {
      const found = await bitcellJson(['map', 'hits', map, ...memory, '--mitigation', mitigation]);
      return found.changed;
    }),
  );
  expect(all).toEqual(whole);
  expect(half).not.toEqual(whole);
  expect(none).not.toEqual(half);
  expect(
    await refusal(['map', 'hits', map, ...memory, '--mitigation', 'rotate:knows=voltage/0.6']),
  ).toContain('knows = voltage/0.6: the fault model uniform has no rates by voltage');
});

test('run takes reorder, and prices with --json alone', async () => {
  const study = ['run', ...common, '--rates', '1e-3', '--maps', '1'];
  const { points } = await bitcellJson([...study, '--mitigations', 'none,reorder']);
  expect((points as StudyPoint[]).map(({ mitigation }) => mitigation)).toEqual(['none', 'reorder']);
  expect(await refusal([...study, '--prices', 'prices.yaml'])).toBe(
    '--prices is for the points that --json prints: give it with --json',
  );
  expect(
    await refusal([...study, '--mitigations', 'rotate:knows=voltage/0.6', '--faults', 'stuck-at']),
  ).toContain('the fault model stuck-at has no rates by voltage');
});

test('clips take as many thresholds as the file has that the study names', async () => {
  const thresholds = join(newFolder(), 'neurons.json');
  const profile = ['--model', files.int8, '--images', '10', '--output', thresholds];
  await bitcellJson(['profile', ...profile, '--granularity', 'neuron']);
  const folder = join(newFolder(), 'study');
  const study = ['run', ...common, '--rates', '0', '--maps', '1', '--thresholds', thresholds];
  const words = ['none', 'clip', 'clip:granularity=channel'];
  const mitigations = ['--mitigations', words.join(), '--out', folder];
  const cellsOf = (points: unknown) =>
    (points as { price: { cells: { count: number | null } } }[]).map(({ price }) => {
      return price.cells.count;
    });
  // conv1 has 8 channels of 16 × 16 neurons, fc1 has 16.
  const cells = [0, 32 * (8 * 256 + 16), 32 * (8 + 16)];
  expect(cellsOf((await bitcellJson([...study, ...mitigations])).points)).toEqual(cells);
  expect(cellsOf((await bitcellJson(['results', folder])).points)).toEqual(cells);
  rmSync(thresholds);
  const { points } = await bitcellJson(['results', folder]);
  expect(cellsOf(points)).toEqual([0, null, cells[2]]);
});
