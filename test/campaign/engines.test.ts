import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import {
  createTrialRunner,
  loadNetwork,
  mitigationNames,
  parseStudy,
  prepareStudy,
  profileThresholds,
  replayCommand,
  type StudyInput,
  type TrialResult,
} from '../../campaign/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  knowledgeOf,
  memoryPartsOf,
  parseMitigation,
  type Thresholds,
  writeThresholds,
} from '../../mitigation/index.js';
import { loadCifar10 } from '../../models/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
const files = writeTinyNetwork(folder);
const kernels = loadKernels();

/** Those of the tiny network for each neuron, low enough to clip. */
const neuronThresholds = join(folder, 'neurons.json');
writeThresholds(neuronThresholds, halfProfile());

function halfProfile(): Thresholds {
  const networks = (['int8', 'float32'] as const).map((format) => loadNetwork(files.int8, format));
  const training = loadCifar10({ split: 'train', limit: 20 });
  const { int8, float32, ...rest } = profileThresholds(networks, training, 20, 'neuron');
  const halved = (layers: typeof int8, convert: (value: number) => number) =>
    Object.fromEntries(
      Object.entries(layers ?? {}).map(([name, values]) => [
        name,
        values.map((value) => convert(value / 2)),
      ]),
    );
  return { ...rest, int8: halved(int8, Math.floor), float32: halved(float32, Math.fround) };
}

const levels = fc.oneof(
  fc.constantFrom([1], [0, 2], [1, 40]).map((faultCounts) => ({ faultCounts })),
  fc.constantFrom([1e-5], [0, 1e-3], [2e-2]).map((rates) => ({ rates })),
);

const clips = fc.constantFrom(
  { format: 'int8', thresholds: files.thresholds },
  { format: 'int8', thresholds: neuronThresholds, granularity: 'neuron' },
  { format: 'int8', thresholds: neuronThresholds, granularity: 'layer' },
  { format: 'int8', thresholds: neuronThresholds, clipPosition: 'requantised' },
  { format: 'float32', thresholds: files.thresholds },
  { format: 'float32', thresholds: neuronThresholds, granularity: 'neuron' },
);

/** A die that has other faulty cells at other voltages, each of which may be active. */
const VOLTAGES: StudyInput['faults'] = {
  model: 'voltage',
  table: [
    { voltage: 0.7, rate: 1e-5 },
    { voltage: 0.5, rate: 1e-2 },
  ],
  activeProbability: 0.9,
};

const studies = fc.record({
  clip: clips,
  imageChoice: fc.constantFrom('fixed', 'fixed', 'drawn'),
  faults: fc.constantFrom<StudyInput['faults']>(
    'flip',
    'stuck-at',
    {
      model: 'uniform',
      activeProbability: 0.5,
    },
    VOLTAGES,
  ),
  scope: fc.constantFrom('all', 'layer:fc1', 'bit:7'),
  mitigations: fc.constantFrom<StudyInput['mitigations']>(
    ['none'],
    ['none', 'clip'],
    ['clip', 'clamp'],
    ['secded', 'none', 'rotate:by=data+clip', 'secded+clip'],
    ['spares:rows=1:columns=2', 'none', 'tmr', 'word-masking:unit=row'],
    ['reorder', 'none', 'secded+rotate+reorder+clip', 'reorder:layers=conv1'],
    [
      'closest-value',
      'none',
      'rotate:knows=share/0.5+clip',
      'word-masking:spareWords=1:knows=share/0.8',
    ],
    ['rotate:knows=voltage/0.6', 'none', 'spares:rows=1:columns=1:knows=voltage/0.5+invert'],
    ['in-place-ecc', 'none', 'in-place-ecc+clip'],
    ['mset', 'none', 'cep+clip'],
    [
      'clip:layers=fc1',
      'none',
      { name: 'one layer', parts: [{ use: 'clamp', layers: ['conv1'] }] },
    ],
  ),
  seed: fc.nat(1000),
  images: fc.integer({ min: 1, max: 30 }),
  deltaBytes: fc.constantFrom(0, 2 ** 24, 2 ** 28),
});

/** Codes that keep their check bits in the weights, by the words that they are for. */
const WITHIN = { int8: ['in-place-ecc'], float32: ['mset', 'cep'] };

/** Whether a study can have the mitigations: those of its words, and who knows a voltage has one to know. */
function areFitting(mitigations: unknown, format: string, faults: unknown): boolean {
  const others: readonly string[] = format === 'int8' ? WITHIN.float32 : WITHIN.int8;
  return [mitigations]
    .flat()
    .flatMap((input) => memoryPartsOf(parseMitigation(input)))
    .every((part) => {
      const knows = knowledgeOf(part);
      return !others.includes(part.use) && !(knows && 'voltage' in knows && faults !== VOLTAGES);
    });
}

function withoutTime({ outcomes, ...result }: TrialResult) {
  return { ...result, outcomes: outcomes.map(({ seconds: _, ...outcome }) => outcome) };
}

test.prop([studies, levels], { numRuns: 15 })(
  'computing only what can have changed gives what the plain path gives',
  ({ deltaBytes, clip, ...options }, level) => {
    fc.pre(areFitting(options.mitigations, clip.format, options.faults));
    const study = parseStudy({
      ...options,
      ...clip,
      ...level,
      model: files.int8,
      maps: 2,
    });
    const [plain, incremental] = (['plain', 'incremental'] as const).map((engine) => {
      const { data } = prepareStudy(study);
      const run = createTrialRunner(data, kernels, { engine, deltaBytes });
      const { images } = options;
      const mitigations = mitigationNames(study);
      return data.conditions.flatMap(({ index }) =>
        [0, 1].map((map) => withoutTime(run({ condition: index, map, images, mitigations }))),
      );
    });
    for (const [place, result] of incremental.entries()) {
      expect(result, replayCommand(study, result.trial)).toEqual(plain[place]);
    }
    expect(incremental.length).toBe(plain.length);
  },
);
