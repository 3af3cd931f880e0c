import type { ProgressListener } from '../../core/index.js';

/** Progress of a search made of stages, each of which may take fewer steps than it could. */
export interface SearchProgress {
  add(steps: number): void;
  finishStage(): void;
  finish(): void;
}

/** @param most steps that each stage takes at most */
export function createSearchProgress(
  most: readonly number[],
  onProgress: ProgressListener = () => {},
): SearchProgress {
  const total = most.reduce((sum, steps) => sum + steps, 0);
  let [done, stage, ended] = [0, 0, 0];
  const advanceTo = (steps: number) => {
    if (steps <= done) return;
    done = steps;
    onProgress(done, total);
  };
  return {
    add: (steps) => advanceTo(Math.min(done + steps, total)),
    finishStage() {
      ended += most[stage] ?? 0;
      stage += 1;
      advanceTo(ended);
    },
    finish: () => advanceTo(total),
  };
}
