import { agrees, rankOf, top1, withinTolerance } from './answers.js';

/** How far a value may be from what is expected: |y − t| ≤ absolute + relative · |t|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** How an output tells whether a sample comes out right. */
export type Judgement =
  /** Scores of classes: right where the class is among the `topK` largest. */
  | { readonly kind: 'classification'; readonly topK: number }
  /** Values: right where all are within the tolerance; absent: `OUTPUT_TOLERANCE` of the largest. */
  | { readonly kind: 'regression'; readonly tolerance?: Tolerance | undefined }
  /** A reconstruction of the input: anomalous where the mean squared difference is above the threshold. */
  | { readonly kind: 'anomaly'; readonly threshold: number };

/** A judgement, and the values of a sample that it is about: `length` of all outputs together, from `start`. */
export type Task = Judgement & { readonly start: number; readonly length: number };

/** What a task makes of a sample. */
export interface Verdict {
  /**
   * What faults may change: the class with the largest score; whether a sample is anomalous (1); whether values are
   * those of the fault-free network (0) or others (1).
   */
  readonly answer: number;
  readonly isRight: boolean;
}

/** A sample as a network made it. */
export interface JudgedSample {
  /** Of all outputs. */
  readonly values: Float32Array;
  /** Those of the fault-free, unprotected network. */
  readonly reference: Float32Array;
  /** Its class; undefined: what the fault-free network makes of it is right. */
  readonly label: number | undefined;
  /** What went in; needed by anomalies alone. */
  readonly input?: Float32Array | undefined;
}

/** Judge one sample: the only place that says what is right, whichever way outputs were computed. */
export function judgeSample(task: Task, sample: JudgedSample): Verdict {
  const values = sample.values.subarray(task.start, task.start + task.length);
  const reference = sample.reference.subarray(task.start, task.start + task.length);
  const judge = VERDICTS[task.kind] as (own: Task, judged: JudgedSample) => Verdict;
  return judge(task, { ...sample, values, reference });
}

const VERDICTS: {
  readonly [K in Task['kind']]: (task: Task & { kind: K }, sample: JudgedSample) => Verdict;
} = {
  classification: ({ topK }, { values, reference, label }) => {
    const answer = top1(values);
    const wanted = label ?? top1(reference);
    return {
      answer,
      isRight: topK === 1 ? answer === wanted : rankOf(values, wanted) < topK,
    };
  },
  regression: ({ tolerance }, { values, reference }) => {
    const isRight = tolerance
      ? withinTolerance(values, reference, tolerance)
      : agrees(values, reference);
    return { answer: isRight ? 0 : 1, isRight };
  },
  anomaly: ({ threshold }, { values, reference, label, input }) => {
    if (!input) throw new Error('anomalies are judged by the inputs');
    const answer = isAnomalous(values, input, threshold);
    return { answer, isRight: answer === (label ?? isAnomalous(reference, input, threshold)) };
  },
};

/** 1 where the score is above the threshold; a score that is no number is. */
function isAnomalous(values: Float32Array, input: Float32Array, threshold: number): number {
  return anomalyScore(values, input) <= threshold ? 0 : 1;
}

/** Mean squared difference of what came out and what went in, in float64, in the order of the values. */
export function anomalyScore(values: Float32Array, input: Float32Array): number {
  let sum = 0;
  for (const [place, value] of values.entries()) sum += (value - input[place]) ** 2;
  return sum / values.length;
}
