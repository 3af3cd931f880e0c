import { precisionRule } from '../statistics/index.js';
import type { Condition } from '../study/conditions.js';
import { isSample } from '../study/fault-source.js';
import type { Study } from '../study/study.js';
import type { Pilot } from './pilot.js';
import { shareInterval } from './point.js';
import { fixedSize, type StoppingRule } from './stopping.js';

/** How many trials the conditions of a study get. */
export interface StudyDesign {
  readonly ruleOf: (condition: Condition) => StoppingRule;
  /** Images a map of a condition, or the pilot that chooses them. */
  readonly imagesOf: (condition: Condition) => number | Pilot;
}

/**
 * The rule that decides how many maps the points of a condition get.
 *
 * @param maps the most that they may get
 */
export function stoppingRuleOf(study: Study, { source }: Condition, maps: number): StoppingRule {
  if (study.precision !== undefined) return precisionRule(study.precision / 100, maps);
  const drawn = isSample(source);
  return fixedSize(maps, ({ correct, images, correctPerImage }) =>
    shareInterval(correct, images, drawn, correctPerImage),
  );
}
