import type { StudyPoint } from '../../../campaign/index.js';
import type { Metric } from '../../../workload/index.js';

/** What the points of a saved study say: one of given samples has no labels. */
export function savedMetric({ inputs }: Readonly<Record<string, unknown>>): Metric {
  return inputs === undefined ? 'accuracy' : 'agreement';
}

/** What the field `accuracy` of points is, where it is no accuracy. */
export function metricJson(metric: Metric): { readonly metric?: Metric } {
  return metric === 'accuracy' ? {} : { metric };
}

/** Points with their share of samples under the name of what it is, too. */
export function withMetric<P extends Pick<StudyPoint, 'accuracy'>>(
  points: readonly P[],
  metric: Metric,
): P[] {
  return metric === 'accuracy'
    ? [...points]
    : points.map((point) => ({ ...point, [metric]: point.accuracy }));
}
