import {
  type Condition,
  openStore,
  type StoreOptions,
  type StudyStore,
  type TrialResult,
} from '../../../campaign/index.js';

/** Fault maps of the study, and mitigations of each. */
export const MAPS = 8;
export const MITIGATIONS = ['none', 'clip'] as const;

const CONDITION: Condition = {
  index: 0,
  model: 'alexnet',
  format: 'int8',
  accelerator: 'edge-16x16',
  storage: 'weights',
  source: { kind: 'model', name: 'flip', model: { model: 'uniform', faults: 'flip' } },
  scope: 'all',
  rate: 1e-3,
};

/** A study of one condition and two points. */
export const OPTIONS: StoreOptions = {
  configuration: {
    ...{ models: ['alexnet'], formats: ['int8'], storages: ['weights'] },
    ...{ rates: [1e-3], mitigations: MITIGATIONS },
    ...{ maps: MAPS, images: 100, seed: 1, checksums: { data: 'a' } },
  },
  versions: { bitcell: '0' },
  code: 'b',
  repeat: () => Promise.reject(new Error('the code is the same')),
  conditions: [CONDITION],
  mitigations: MITIGATIONS,
  mapsOf: () => MAPS,
  seed: 1,
  resume: true,
};

export function openSmall(folder: string, options: Partial<StoreOptions> = {}) {
  return openStore(folder, { ...OPTIONS, ...options });
}

/** Right images of a map by the place of its mitigation. */
export function correctOf(map: number, mitigation: number): number {
  return (map * 7 + mitigation) % 101;
}

export function resultOf(map: number): TrialResult {
  return {
    trial: { condition: 0, map, images: 100, mitigations: MITIGATIONS },
    ...{ requested: 10.5, injected: map + 7, cleanCorrect: 90 },
    outcomes: MITIGATIONS.map((mitigation, index) => ({
      ...{ mitigation, correct: correctOf(map, index), sdc: map, nonFinite: index, seconds: 0.25 },
      ...{ effective: map, firstLayer: `conv${map}` },
    })),
  };
}

/** The points when so many maps are there. */
export function pointsOf(maps: number): Parameters<StudyStore['write']>[1] {
  const { source, index, ...key } = CONDITION;
  return MITIGATIONS.map((mitigation) => ({
    condition: index,
    complete: maps === MAPS,
    point: {
      ...key,
      ...{ faultModel: 'flip', mitigation, maps, images: 100 },
      accuracy: { mean: 0.5, low: 0, high: 1 },
      perMap: { worst: 0, lowerQuartile: 0.25, median: 0.5, upperQuartile: 0.75, best: 1 },
      yield: { within: 0.02, share: 0, low: 0, high: 1, imagesNeeded: 50 },
      sdc: { share: 0, low: 0, high: 1 },
      nonFinite: 0,
      faults: { requested: 0, injected: 0, effective: 0 },
    },
  }));
}

/** Save the next map of the study. */
export async function saveNext(store: StudyStore, maps: number): Promise<void> {
  await store.write([resultOf(maps)], pointsOf(maps + 1));
}

/** A store with the first maps of the study. */
export async function makeStore(
  folder: string,
  maps: number,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  const store = await openSmall(folder, options);
  for (let map = 0; map < maps; map += 1) await saveNext(store, map);
  store.close();
}
