import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { createTrialRunner } from '../../campaign/context.js';
import { parseStudy, prepareStudy, type TrialResult } from '../../campaign/index.js';
import { compileKernels } from '../../kernels/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';

const files = writeTinyNetwork(mkdtempSync(join(tmpdir(), 'bitcell-')));
const kernels = compileKernels();

const levels = fc.oneof(
  fc.constantFrom([1], [0, 2], [1, 40]).map((faultCounts) => ({ faultCounts })),
  fc.constantFrom([1e-5], [0, 1e-3], [2e-2]).map((rates) => ({ rates })),
);

const studies = fc.record({
  format: fc.constantFrom('int8', 'int8', 'float32'),
  imageChoice: fc.constantFrom('fixed', 'fixed', 'drawn'),
  faults: fc.constantFrom<unknown>('flip', 'stuck-at', {
    model: 'uniform',
    activeProbability: 0.5,
  }),
  scope: fc.constantFrom('all', 'layer:fc1', 'bit:7'),
  mitigations: fc.constantFrom(['none'], ['none', 'clip'], ['clip', 'clamp']),
  seed: fc.nat(1000),
  images: fc.integer({ min: 1, max: 30 }),
  deltaBytes: fc.constantFrom(0, 2 ** 24, 2 ** 28),
});

function withoutTime({ outcomes, ...result }: TrialResult) {
  return { ...result, outcomes: outcomes.map(({ seconds: _, ...outcome }) => outcome) };
}

test.prop([studies, levels], { numRuns: 12 })(
  'computing only what can have changed gives what the plain path gives',
  ({ deltaBytes, ...options }, level) => {
    const study = parseStudy({
      ...options,
      ...level,
      model: files.int8,
      thresholds: files.thresholds,
      maps: 2,
    });
    const [plain, incremental] = (['plain', 'incremental'] as const).map((engine) => {
      const { data } = prepareStudy(study);
      const run = createTrialRunner(data, kernels, { engine, deltaBytes });
      return data.conditions.flatMap(({ index }) =>
        [0, 1].map((map) =>
          withoutTime(
            run({ condition: index, map, images: options.images, mitigations: study.mitigations }),
          ),
        ),
      );
    });
    expect(incremental).toEqual(plain);
  },
);
