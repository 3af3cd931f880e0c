import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseStudy, prepareStudy, runStudy, type StudyResult } from '../../campaign/index.js';

const small = {
  formats: ['float32', 'int8'],
  rates: [1e-6, 1e-3],
  mitigations: ['none', 'clip', 'clamp'],
  maps: 2,
  images: 6,
};

function run(options: Record<string, unknown>, more: Partial<Parameters<typeof runStudy>[1]> = {}) {
  return runStudy(prepareStudy(parseStudy(options)), { threads: 2, ...more });
}

function newFolder(): string {
  return join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'study');
}

describe('runStudy', () => {
  let result: StudyResult;

  test('gives a point for each format, rate and mitigation', async () => {
    result = await run(small);
    expect(result.complete).toBe(true);
    expect(
      result.points.map(({ format, rate, mitigation }) => `${format} ${rate} ${mitigation}`),
    ).toEqual(
      ['float32', 'int8'].flatMap((format) =>
        ['0.000001', '0.001'].flatMap((rate) =>
          ['none', 'clip', 'clamp'].map((mitigation) => `${format} ${rate} ${mitigation}`),
        ),
      ),
    );
    for (const { accuracy, faults } of result.points) {
      expect(accuracy.low).toBeLessThanOrEqual(accuracy.mean);
      expect(accuracy.high).toBeGreaterThanOrEqual(accuracy.mean);
      expect(Math.abs(faults.injected - faults.requested)).toBeLessThanOrEqual(1);
      expect(faults.effective).toBeLessThanOrEqual(faults.injected);
    }
  });

  test('does not depend on the number of threads', async () => {
    expect(await run(small, { threads: 1 })).toEqual(result);
  });

  test('does not depend on which other points are asked for', async () => {
    const { points } = await run({ ...small, formats: ['int8'], rates: [1e-3] });
    expect(points).toEqual(
      result.points.filter(({ format, rate }) => format === 'int8' && rate === 1e-3),
    );
  });

  test('continues an interrupted run, and a half-written line of it, to the same results', async () => {
    const [whole, broken] = [newFolder(), newFolder()];
    await run(small, { out: whole });
    const controller = new AbortController();
    const interrupted = await run(small, {
      out: broken,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(interrupted.complete).toBe(false);
    const finished = readFileSync(join(broken, 'trials.jsonl'), 'utf8').split('\n').length - 1;
    expect(finished).toBeGreaterThan(0);
    expect(finished).toBeLessThan(12);
    appendFileSync(join(broken, 'trials.jsonl'), '{"trial":{"format":"int8","ra');
    const resumed = await run(small, { out: broken, resume: true });
    expect(resumed).toEqual(result);
    expect(readFileSync(join(broken, 'results.json'), 'utf8')).toBe(
      readFileSync(join(whole, 'results.json'), 'utf8'),
    );
  });

  test('refuses a folder that holds results, another study or other files', async () => {
    const folder = newFolder();
    const tiny = { ...small, formats: ['int8'], rates: [0], mitigations: ['none'], maps: 1 };
    await run(tiny, { out: folder });
    await expect(run(tiny, { out: folder })).rejects.toThrow(
      `${folder} already holds results: choose another folder or add --resume`,
    );
    await expect(run({ ...tiny, seed: 2 }, { out: folder, resume: true })).rejects.toThrow(
      `${join(folder, 'study.json')} is of another study: seed 1 is now 2`,
    );
    const other = mkdtempSync(join(tmpdir(), 'bitcell-'));
    writeFileSync(join(other, 'notes.txt'), 'mine');
    await expect(run(tiny, { out: other })).rejects.toThrow(
      `${other} is not empty and holds no study: choose another folder`,
    );
  });
});

describe('parseStudy', () => {
  test.each([
    [{ rates: [0.1, 2] }, 'study: rates.1 = 2: '],
    [{ faults: 'flips' }, 'study: faults = "flips": '],
    [{ formats: ['int4'] }, 'study: formats.0 = "int4": '],
    [{ mitigations: [] }, 'study: mitigations = []: '],
    [{ mitigations: ['clip', 'clip'] }, 'study: mitigations = ["clip","clip"]: values must differ'],
    [{ images: 10_001 }, 'study: images = 10001: '],
    [{ maps: 0 }, 'study: maps = 0: '],
    [{ wrong: 1 }, 'Unrecognized key: "wrong"'],
    [{ faultMap: 'map.json', rates: [0.1] }, 'study: give either a fault map or rates'],
    [{ faultMap: 'map.json', maps: 3 }, 'study: maps = 3, but a given fault map is one map'],
  ])('refuses %j', (options, message) => {
    expect(() => parseStudy(options)).toThrow(message);
  });

  test('gives a study of one fault map one map', () => {
    expect(parseStudy({ faultMap: 'map.json' }).maps).toBe(1);
  });
});
