import { describe, expect, test } from 'vitest';
import { loadNetwork } from '../../campaign/index.js';
import { createScoredRuns } from '../../campaign/tune/scored-runs.js';
import type { LayerThresholds } from '../../mitigation/index.js';

const CLASSES = Uint8Array.of(3, 1);

/** Thresholds of AlexNet's conv2 and, the same everywhere, of its other layers. */
function thresholds(conv2: number, others = 9): LayerThresholds {
  return new Map([
    ['conv1', [others]],
    ['conv2', [conv2]],
    ['conv3', [others]],
  ]);
}

function nearest(
  runs: ReturnType<typeof createScoredRuns>,
  candidates: readonly LayerThresholds[],
  cell = 0,
): (number | undefined)[] {
  const near = runs.near({ first: 'conv2', last: 'conv2', candidates });
  return near(cell).map(({ thresholds: found }) => found.get('conv2')?.[0]);
}

describe('createScoredRuns', () => {
  const network = loadNetwork('alexnet', 'float32');

  test('finds the neighbours of each candidate, each once', () => {
    const runs = createScoredRuns(network);
    for (const threshold of [8, 1, 4, 2]) runs.add(thresholds(threshold), 0, CLASSES);
    expect(nearest(runs, [thresholds(3)])).toEqual([2, 4]);
    expect(nearest(runs, [thresholds(5), thresholds(6)])).toEqual([4, 8]);
    expect(nearest(runs, [thresholds(9)])).toEqual([8]);
    expect(nearest(runs, [thresholds(0.5), thresholds(4)])).toEqual([1, 4, 8]);
  });

  test('only on the same map, and with the same thresholds in all other layers', () => {
    const runs = createScoredRuns(network);
    runs.add(thresholds(4), 0, CLASSES);
    runs.add(thresholds(5, 8), 0, CLASSES);
    runs.add(thresholds(6), 1, CLASSES);
    expect(nearest(runs, [thresholds(3)])).toEqual([4]);
    expect(nearest(runs, [thresholds(3)], 1)).toEqual([6]);
    expect(nearest(runs, [thresholds(3)], 2)).toEqual([]);
    expect(nearest(runs, [thresholds(3, 8)])).toEqual([5]);
    runs.clear();
    expect(nearest(runs, [thresholds(3)])).toEqual([]);
  });

  test('for one layer at a time, and with int8 words where it is not most of what would run', () => {
    const add = (runs: ReturnType<typeof createScoredRuns>) => {
      runs.add(thresholds(4), 0, CLASSES);
      return runs;
    };
    const request = { first: 'conv1', last: 'conv2', candidates: [thresholds(3)] };
    expect(add(createScoredRuns(network)).near(request)(0)).toEqual([]);
    const int8 = loadNetwork('alexnet', 'int8');
    const near = (first: string) =>
      add(createScoredRuns(int8)).near({ ...request, first, last: first })(0);
    expect(near('conv2')).toHaveLength(1);
    expect(near('fc3')).toEqual([]);
  });
});
