import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { executeTrials } from '../../campaign/execute/threads.js';
import {
  type PreparedStudy,
  parseStudy,
  prepareStudy,
  replayCommand,
  replayTrial,
  runStudy,
  type StudyInput,
} from '../../campaign/index.js';
import { createTrialContexts } from '../../campaign/trial/trial-runner.js';
import { loadKernels } from '../../kernels/index.js';
import { storedWords, weightHits } from '../../sim/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';

const files = writeTinyNetwork(mkdtempSync(join(tmpdir(), 'bitcell-')));

const small: StudyInput = {
  model: files.int8,
  thresholds: files.thresholds,
  formats: ['float32', 'int8'],
  rates: [1e-5, 1e-2],
  mitigations: ['none', 'clip'],
  maps: 2,
  images: 6,
};

const preparedStudies = new Map<string, PreparedStudy>();

function preparedOnce(options: StudyInput): PreparedStudy {
  const key = JSON.stringify(options);
  const found = preparedStudies.get(key) ?? prepareStudy(parseStudy({ ...small, ...options }));
  preparedStudies.set(key, found);
  return found;
}

describe('replayTrial', () => {
  test('gives the trials of which a study makes its points', async () => {
    const study = parseStudy({ ...small, maps: 1 });
    const { points } = await runStudy(prepareStudy(study), { threads: 1 });
    const replayed = [0, 1, 2, 3].map((condition) =>
      replayTrial(prepareStudy(study), { condition, map: 0 }),
    );
    expect(
      replayed.flatMap(({ condition: { format, rate }, result: { outcomes } }) =>
        outcomes.map(({ mitigation, correct, sdc, nonFinite, effective }) => ({
          ...{ format, rate, mitigation, nonFinite, accuracy: correct / 6, sdc: sdc / 6 },
          effective,
        })),
      ),
    ).toEqual(
      points.map(({ format, rate, mitigation, accuracy, sdc, nonFinite, faults }) => ({
        ...{ format, rate, mitigation, nonFinite, accuracy: accuracy.mean, sdc: sdc.share },
        effective: faults.effective,
      })),
    );
  });

  const placed = (['resident', 'streamed'] as const).map((placement) =>
    prepareStudy(
      parseStudy({
        ...{ model: files.int8, placement, faults: ['flip', 'stuck-at'], scopes: ['all', 'bit:6'] },
        ...{ rates: [0, 1e-4, 3e-2], mitigations: 'none', maps: 100, images: 1 },
      }),
    ),
  );
  const conditions = 2 * 2 * 2 * 3;

  property.prop([fc.constantFrom(...placed), fc.nat(conditions - 1), fc.nat(99)], { numRuns: 15 })(
    'lists the weights that the faulty cells change, with these cells',
    (prepared, index, map) => {
      expect(prepared.data.conditions).toHaveLength(conditions);
      const { condition, changedWeights, listChangedWeights } = replayTrial(prepared, {
        ...{ condition: index, map },
      });
      const listed = [...listChangedWeights()];
      expect(listed).toHaveLength(changedWeights);

      const contextOf = createTrialContexts(prepared.data, loadKernels(), {
        ...{ engine: 'plain', deltaBytes: 0 },
      });
      const {
        storages: [{ faultMap, placed }],
        network: { network },
      } = contextOf(condition.index);
      if (placed.cells.kind !== 'weights') throw new Error('another storage than weights');
      const { placement } = placed.cells;
      const words = storedWords(network);
      const expected = [...weightHits(faultMap(map), placement, words)]
        .filter(({ effective }) => effective)
        .map(({ weight, bit, bank, row, column, storedWord, faultyWord }) =>
          [weight, bit, bank, row, column, storedWord, faultyWord].join(),
        );
      const first = new Map<string, number>();
      let weights = 0;
      for (const layer of network.layers) {
        if (!('weights' in layer)) continue;
        first.set(layer.name, weights);
        weights += layer.weights.length;
      }
      const found = listed.flatMap(({ layer, index, bits, cells, storedWord, faultyWord }) =>
        bits.map((bit, at) => {
          const { bank, row, column } = cells[at];
          const weight = (first.get(layer) ?? Number.NaN) + index;
          return [weight, bit, bank, row, column, storedWord, faultyWord].join();
        }),
      );
      expect(found.sort()).toEqual(expected.sort());
    },
  );

  test.each<[StudyInput, { condition: number; map: number }, string]>([
    [{}, { condition: 4, map: 0 }, 'condition 4: the study has conditions 0 to 3'],
    [{}, { condition: 1, map: 2 }, 'map 2: condition 1 has maps 0 to 1'],
    [{}, { condition: 1, map: 1_000_000 }, 'map 1000000: condition 1 has maps 0 to 1'],
    [
      { precision: 5, images: 'pilot', maps: 30 },
      { condition: 1, map: 30 },
      'map 30: condition 1 has maps 0 to 29, its pilot 1000000 to 10000',
    ],
    [
      { precision: 5, images: 'pilot', maps: 30 },
      { condition: 1, map: 3 },
      'condition 1: its pilot chooses how many images a map has, and a single trial has no pilot: give the number, which is in the column images of `bitcell results DIR --table trial`, as --images N',
    ],
  ])('refuses of %j the trial %j', (options, trial, message) => {
    const prepared = preparedOnce(options);
    expect(() => replayTrial(prepared, trial)).toThrow(message);
  });

  test('runs a map of a pilot with the images of the pilot', () => {
    const study = parseStudy({ ...small, formats: 'int8', precision: 5, images: 'pilot' });
    const { trial } = replayTrial(prepareStudy(study), { condition: 0, map: 1_000_002 }).result;
    expect([10, 25]).toContain(trial.images);
    expect(replayCommand(study, trial)).toMatch(/ --precision 5 .*--only 0:1000002$/);
  });
});

test('an unexpected error of a trial names the trial and the command that runs it', async () => {
  const { data } = preparedOnce({});
  const trial = { condition: 2, map: 1, images: 6, mitigations: ['hope'] };
  const waiting = [trial];
  const failure = executeTrials(data, {
    ...{ threads: 1, engine: 'incremental', stopped: () => false, next: () => waiting.shift() },
    ...{ onRestart: undefined, onResult: () => {} },
  });
  const where = `condition 2, map 1, of ${files.int8} with int8 words`;
  await expect(failure).rejects.toThrow(
    `hope, at ${where}; "${replayCommand(data.study, trial)}" runs that trial alone`,
  );
});

describe('replayCommand', () => {
  const precise: StudyInput = { ...small, precision: 5, images: 'pilot', maps: 40 };

  test('names the images that a pilot chose, instead of the precision', () => {
    expect(replayCommand(parseStudy(precise), { condition: 1, map: 17, images: 12 })).toBe(
      `bitcell run --model ${files.int8} --rates 0.00001,0.01 --maps 40 --images 12 --thresholds ${files.thresholds} --only 1:17`,
    );
  });

  test('leaves the file to be named of a study that options cannot say', () => {
    const study = parseStudy({ ...precise, faults: { model: 'rows', faults: 'stuck-at-0' } });
    expect(replayCommand(study, { condition: 1, map: 17, images: 12 })).toBe(
      'bitcell run STUDY.yaml --images 12 --only 1:17',
    );
  });
});
