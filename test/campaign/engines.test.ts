import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { expect, test as single } from 'vitest';
import {
  createTrialRunner,
  loadNetwork,
  mitigationNames,
  parseStudy,
  prepareStudy,
  profileThresholds,
  replayCommand,
  runStudy,
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
import { DATAFLOWS, STORAGES } from '../../sim/index.js';
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

/** What the trials of two maps of each condition give, on either engine. */
function expectSame(input: StudyInput, deltaBytes: number): void {
  const study = parseStudy({ ...input, maps: 2 });
  const { images } = study;
  if (images === 'pilot') throw new Error('a study of so many images is meant');
  const [plain, incremental] = (['plain', 'incremental'] as const).map((engine) => {
    const { data } = prepareStudy(study);
    const run = createTrialRunner(data, kernels, { engine, deltaBytes });
    const mitigations = mitigationNames(study);
    return data.conditions.flatMap(({ index }) =>
      [0, 1].map((map) => withoutTime(run({ condition: index, map, images, mitigations }))),
    );
  });
  for (const [place, result] of incremental.entries()) {
    expect(result, replayCommand(study, result.trial)).toEqual(plain[place]);
  }
  expect(incremental.length).toBe(plain.length);
}

test.prop([studies, levels], { numRuns: 15 })(
  'computing only what can have changed gives what the plain path gives',
  ({ deltaBytes, clip, ...options }, level) => {
    fc.pre(areFitting(options.mitigations, clip.format, options.faults));
    expectSame({ ...options, ...clip, ...level, model: files.int8 }, deltaBytes);
  },
);

/** Small arrays, so that the registers of an element take part in many products. */
const accelerators = DATAFLOWS.flatMap((dataflow) =>
  [undefined, { banks: 2, rows: 4, wordBits: 64, columnMux: 2 }].flatMap((accumulatorMemory) => {
    if (accumulatorMemory && dataflow === 'output-stationary') return [];
    const name = `${dataflow}${accumulatorMemory ? ' with a memory' : ''}`;
    const preload = dataflow === 'weight-stationary' && accumulatorMemory !== undefined;
    const accelerator = {
      ...{ name, weightMemory: 'fits-network', accumulatorMemory },
      array: { rows: 4, columns: 8, dataflow, ...(preload && { preload }) },
    };
    const file = join(folder, `${name}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(accelerator));
    return [file];
  }),
);

/** What is broken, and what may protect it. */
const MEMORIES = ['inputs', 'activations', 'inputs+activations', 'weights+activations'] as const;
const REGISTERS = ['weight-registers', 'accumulators', 'multipliers'] as const;
const protectedBy = {
  registers: fc.constantFrom<StudyInput['mitigations']>(
    ['none'],
    ['none', 'clip'],
    ['clamp', 'clip'],
  ),
  memories: fc.constantFrom<StudyInput['mitigations']>(
    ['none', 'clip'],
    ['secded', 'none', 'secded+clip'],
    ['harden', 'tmr+clamp'],
    ['spares:rows=1:columns=1', 'none', 'secded:layers=conv1'],
  ),
};

const storages = fc.oneof(
  fc.record({
    storage: fc.constantFrom(
      ...REGISTERS,
      'accumulators+multipliers',
      'weight-registers+accumulators',
    ),
    mitigations: protectedBy.registers,
  }),
  fc.record({ storage: fc.constantFrom(...MEMORIES), mitigations: protectedBy.memories }),
  fc.record({
    storage: fc.constantFrom('weights+accumulators', 'weights+inputs+multipliers'),
    mitigations: fc.oneof(
      protectedBy.registers,
      fc.constant<StudyInput['mitigations']>(['none', 'secded', 'rotate:by=data+clip']),
    ),
  }),
);

/** Permanent faults by rate; of moments so few that each image has some. */
const storageFaults = fc.oneof(
  fc.record({
    faults: fc.constantFrom<StudyInput['faults']>('flip', 'stuck-at', 'stuck-at-1', {
      model: 'uniform',
      activeProbability: 0.3,
    }),
    rates: fc.constantFrom([1e-3], [0, 2e-2], [1e-4, 1e-1]),
  }),
  fc.record({
    faults: fc.constantFrom<StudyInput['faults']>('transient', { transient: { rate: 3e-6 } }, [
      'transient',
      'flip',
    ]),
    rates: fc.constantFrom([1e-6], [0, 2e-5]),
  }),
);

test.prop(
  [
    storages,
    storageFaults,
    fc.record({
      clip: clips,
      accelerator: fc.constantFrom('edge-16x16', ...accelerators),
      imageChoice: fc.constantFrom('fixed', 'drawn'),
      scope: fc.constantFrom('all', 'all', 'layer:conv1', 'bit:6'),
      placement: fc.constantFrom('resident', 'streamed'),
      seed: fc.nat(1000),
      images: fc.integer({ min: 1, max: 12 }),
      deltaBytes: fc.constantFrom(0, 2 ** 28),
    }),
  ],
  { numRuns: Number(process.env.BITCELL_TEST_ENGINES ?? 25) },
)(
  'so it does with faults in every storage, permanent, intermittent and of a moment',
  (storage, faults, { deltaBytes, clip, ...options }) => {
    // The network's input is of no layer.
    fc.pre(!storage.storage.includes('inputs') || options.scope !== 'layer:conv1');
    const isTransient = JSON.stringify(faults.faults).includes('transient');
    // Refused: which of the values of a cell it is that a moment strikes is not simulated with codes.
    const scope = options.placement === 'streamed' && isTransient ? 'resident' : options.placement;
    // A preset of rates takes the place of the study's.
    const hasOwnRate = JSON.stringify(faults.faults).includes('"rate"');
    const { rates, ...rest } = faults;
    expectSame(
      {
        ...{ ...storage, ...rest, ...(!hasOwnRate && { rates }), ...options, ...clip },
        ...{ placement: scope, model: files.int8 },
      },
      deltaBytes,
    );
  },
);

const SMALL: StudyInput = {
  ...{ model: files.int8, thresholds: files.thresholds, formats: ['int8', 'float32'] },
  ...{ mitigations: ['none', 'clip'], maps: 2, images: 4, rates: [1e-3] },
};

function pointsOf(input: StudyInput, threads: number) {
  return runStudy(prepareStudy(parseStudy({ ...SMALL, ...input })), { threads });
}

single.each<[string, StudyInput]>([
  ['each storage', { storages: [...STORAGES] }],
  ['several at once', { storages: ['weights+activations', 'inputs+accumulators+multipliers'] }],
  [
    'transient',
    { storages: ['accumulators', 'weights+activations'], faults: 'transient', rates: [1e-5] },
  ],
  [
    'intermittent',
    {
      storages: ['activations', 'weights+weight-registers'],
      faults: { model: 'uniform', activeProbability: 0.5 },
    },
  ],
])('points do not depend on threads: %s', async (_, input) => {
  const one = await pointsOf(input, 1);
  expect(one.complete).toBe(true);
  expect(await pointsOf(input, 2)).toEqual(one);
});

single('a study of weights is one that says nothing of storages', async () => {
  const said = await pointsOf({ storages: ['weights'] }, 1);
  expect(said).toEqual(await pointsOf({}, 1));
  // A storage beside it changes nothing of it.
  const { points } = await pointsOf({ storages: ['activations', 'weights'] }, 1);
  expect(points.filter(({ storage }) => storage === 'weights')).toEqual(said.points);
});

single.each(['weights', 'activations'])(
  'what is chosen for faulty cells knows no fault of a moment: %s',
  (storage) => {
    const mitigations = ['none', 'spares:rows=300:columns=1'];
    const study = parseStudy({
      ...{ model: files.int8, formats: ['int8'], storages: [storage], mitigations },
      ...{ faults: { transient: { count: 200 } }, imageChoice: 'fixed', images: 40, maps: 1 },
    });
    for (const engine of ['plain', 'incremental'] as const) {
      const { data } = prepareStudy(study);
      const run = createTrialRunner(data, kernels, { engine, deltaBytes: 0 });
      const names = mitigationNames(study);
      const { outcomes } = run({ condition: 0, map: 0, images: 40, mitigations: names });
      const [none, spares] = outcomes.map(({ correct, sdc, fixed }) => ({ correct, sdc, fixed }));
      expect(none.sdc).toBeGreaterThan(0);
      expect(spares).toEqual(none);
    }
  },
);
