import { fc, test } from '@fast-check/vitest';
import { expect, test as single } from 'vitest';
import { judgeSample, rankOf, type Task, top1, withinTolerance } from '../../workload/index.js';

const CLASSES = 6;

/** Few different scores, so that there are ties, and what is no finite number. */
const score = fc.constantFrom(-1, -0, 0, 0.5, 1, 2, Number.NaN, Infinity, -Infinity);
const vectors = fc
  .array(score, { minLength: CLASSES, maxLength: CLASSES })
  .map((values) => Float32Array.from(values));
const classes = fc.nat(CLASSES - 1);

function topTask(topK: number): Task {
  return { kind: 'classification', topK, start: 0, length: CLASSES };
}

const TASKS: readonly Task[] = [
  topTask(1),
  topTask(3),
  { kind: 'regression', start: 0, length: CLASSES },
  {
    ...{ kind: 'regression', start: 1, length: 3 },
    tolerance: { absolute: 0, relative: 0 },
  },
  { kind: 'anomaly', threshold: 0.7, start: 0, length: CLASSES },
];

test.prop([vectors])('ranks are an order of all classes, which top-1 leads', (scores) => {
  const ranks = Array.from(scores, (_, index) => rankOf(scores, index));
  expect([...ranks].sort()).toEqual([...ranks.keys()]);
  expect(ranks[top1(scores)]).toBe(0);
});

test.prop([vectors, vectors, fc.option(classes, { nil: undefined })])(
  'what is right of few classes is right of more, and of all everything is',
  (values, reference, label) => {
    const right = Array.from(
      { length: CLASSES },
      (_, index) => judgeSample(topTask(index + 1), { values, reference, label }).isRight,
    );
    expect([...right].sort()).toEqual(right);
    expect(right[CLASSES - 1]).toBe(true);
  },
);

test.prop([vectors, vectors, fc.constantFrom(...TASKS)])(
  'without labels the fault-free network is right, whatever it makes',
  (values, input, task) => {
    const sample = { values, reference: values, label: undefined, input };
    expect(judgeSample(task, sample).isRight).toBe(true);
  },
);

test.prop([
  fc.uniqueArray(fc.integer({ min: -9, max: 9 }), { minLength: CLASSES, maxLength: CLASSES }),
  classes,
  fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: CLASSES }),
  fc.integer({ min: 1, max: CLASSES }),
])('labels permuted with the outputs are as right', (scores, label, order, topK) => {
  const judge = (values: readonly number[], own: number) => {
    const outputs = Float32Array.from(values);
    return judgeSample(topTask(topK), { values: outputs, reference: outputs, label: own }).isRight;
  };
  const permuted = order.map((from) => scores[from]);
  expect(judge(permuted, order.indexOf(label))).toBe(judge(scores, label));
});

test.prop([vectors, vectors, fc.double({ min: 0, max: 3, noNaN: true })])(
  'a larger tolerance takes what a smaller one takes',
  (values, expected, absolute) => {
    const within = (factor: number) =>
      withinTolerance(values, expected, { absolute: factor * absolute, relative: 0.1 * factor });
    if (within(1)) expect(within(2)).toBe(true);
  },
);

single('the tolerance is of each value: absolute + relative · |t|', () => {
  const within = (value: number) =>
    withinTolerance(Float32Array.of(value), Float32Array.of(-4), { absolute: 1, relative: 0.25 });
  expect([-6, -2, -6.01, -1.99, Number.NaN].map(within)).toEqual([true, true, false, false, false]);
});

single('a sample is anomalous above the threshold, and where its score is no number', () => {
  const answers = [1, 3, Number.NaN].map((value) => {
    const task: Task = { kind: 'anomaly', threshold: 2, start: 0, length: 2 };
    const values = Float32Array.of(value, 1);
    const { answer, isRight } = judgeSample(task, {
      ...{ values, reference: values, label: 1 },
      input: Float32Array.of(1, -1),
    });
    return [answer, isRight];
  });
  expect(answers).toEqual([
    [0, false],
    [1, true],
    [1, true],
  ]);
});

single('only the output that is judged counts', () => {
  const task: Task = { kind: 'classification', topK: 1, start: 2, length: 2 };
  const values = Float32Array.of(9, Number.NaN, 1, 2);
  expect(judgeSample(task, { values, reference: values, label: 1 })).toEqual({
    answer: 1,
    isRight: true,
  });
});
