import { precisionRule } from '../statistics/index.js';
import type { Condition } from '../study/conditions.js';
import { isSample } from '../study/fault-source.js';
import type { Study } from '../study/study.js';
import type { Pilot } from './pilot.js';
import { imagesOfMaps, sharedImages } from './point.js';
import { shareInterval } from './share-interval.js';
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
  // The precision of a study of dies ends dies, of which all that there are are run.
  if (study.precision !== undefined && !study.dies) {
    return precisionRule(study.precision / 100, maps);
  }
  const drawn = isSample(source);
  return fixedSize(maps, (results) =>
    shareInterval({
      counts: results.correct,
      images: imagesOfMaps(results),
      drawn,
      shared: sharedImages('correct', results.correctPerImage, results.ofMaps),
    }),
  );
}
