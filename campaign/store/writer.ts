import type { Collector } from '../collector.js';
import type { TrialResult } from '../trial.js';
import type { StudyStore } from './study-store.js';

/** Saves accepted results in the background, all that came during one transaction in the next. */
export interface StoreWriter {
  add(results: readonly TrialResult[]): void;
  /** Resolves when everything is saved. Throws the error of the first write that failed. */
  finish(): Promise<void>;
}

/**
 * @param collector gives the points as they are with all results that were added
 * @param onFailure called once, when a write fails; nothing is written after that
 */
export function createStoreWriter(
  store: StudyStore,
  collector: Collector,
  onFailure: () => void,
): StoreWriter {
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
        onFailure();
      }
    }
    writing = undefined;
  }

  return {
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
