export * from './judge.js';
export type { SearchListeners, SearchResult } from './search.js';
export * from './sweep.js';
export {
  prepareTuning,
  runTuning,
  type TuneCost,
  type TuneOptions,
  type TuneResult,
} from './tune.js';
export type { TuneData } from './tune-data.js';
export {
  DEFAULT_TUNING,
  FAULTY,
  parseTuning,
  RACE_SIZES,
  TUNING_METHODS,
  TUNING_POOL,
  TUNING_RATES,
  type Tuning,
} from './tuning.js';
