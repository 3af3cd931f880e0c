import type { Collector } from '../execute/collector.js';
import type { TrialResult } from '../trial/trial.js';
import type { StudyStore } from './study-store.js';

/** Saves accepted results in the background, all that came during one transaction in the next. */
export interface StoreWriter {
  add(results: readonly TrialResult[]): void;
  /** Whether a write has failed; nothing is written after that. */
  readonly failed: boolean;
  /** Resolves when everything is saved. Throws the error of the first write that failed. */
  finish(): Promise<void>;
}

/** @param collector gives the points as they are with all results that were added */
export function createStoreWriter(store: StudyStore, collector: Collector): StoreWriter {
  let waiting: TrialResult[] = [];
  let writing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0 && !failure) {
      const results = waiting;
      waiting = [];
      // Taken at the same moment as the results, so the points say what the trials say.
      const points = [...new Set(results.map(({ trial }) => trial.condition))].flatMap(
        (condition) => collector.pointsOf(condition),
      );
      try {
        await store.write(results, points);
      } catch (error) {
        failure = { error };
      }
    }
    writing = undefined;
  }

  return {
    get failed() {
      return failure !== undefined;
    },
    add(results) {
      waiting.push(...results);
      if (!failure && results.length > 0) writing ??= writeAll();
    },
    async finish() {
      await writing;
      if (failure) throw failure.error;
    },
  };
}
