import { shownValue } from '../../../core/index.js';
import type { Metric, Task } from '../../../workload/index.js';
import { counted } from './study-table.js';

/** Whether samples are judged by the class with the largest score alone, as accuracy has it everywhere. */
export function isTop1(task: Task): boolean {
  return task.kind === 'classification' && task.topK === 1;
}

/** What was understood: when a sample counts as right. */
export function taskText(task: Task, metric: Metric): string {
  const whose = metric === 'accuracy' ? 'of its label' : 'that the fault-free network finds';
  const texts: { readonly [K in Task['kind']]: (own: Task & { kind: K }) => string } = {
    classification: ({ topK, length }) =>
      topK === 1
        ? `the class ${whose} has the largest of ${length} scores`
        : `the class ${whose} is among the ${topK} largest of ${length} scores`,
    regression: ({ tolerance, length }) =>
      tolerance
        ? `${counted(length, 'value')} y, each |y − t| ≤ ${tolerance.absolute} + ${tolerance.relative}·|t| of the fault-free t`
        : `${counted(length, 'value')} as the fault-free network makes them, within 1 % of the largest`,
    anomaly: ({ threshold }) =>
      metric === 'accuracy'
        ? `mean squared difference of output and input > ${threshold} where the label is 1`
        : `mean squared difference of output and input on the same side of ${threshold} as without faults`,
  };
  const text = texts[task.kind] as (own: Task) => string;
  return `${task.kind}: ${text(task)}`;
}

/** What a study was told of its task, as its fields have it; undefined: nothing, labels and outputs decided. */
export function savedTaskText(
  configuration: Readonly<Record<string, unknown>>,
): string | undefined {
  const given = TASK_FIELDS.filter((field) => configuration[field] !== undefined);
  if (given.length === 0) return undefined;
  const texts = given.map((field) => `${field} = ${shownValue(configuration[field])}`);
  return `Task: ${texts.join(', ')}.`;
}

const TASK_FIELDS = ['task', 'topK', 'tolerance', 'anomalyThreshold', 'outputName'] as const;
