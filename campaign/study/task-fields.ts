import { z } from 'zod';

/** When a sample comes out right; what is not said, labels and outputs decide. */
export const TASK_FIELDS = {
  task: z
    .enum(['classification', 'regression', 'anomaly'])
    .describe('what outputs are: scores of classes, values, or a reconstruction of the input'),
  topK: z
    .int()
    .min(1)
    .describe('a sample is right where its class is among so many largest scores'),
  tolerance: z
    .union([z.number().min(0), z.tuple([z.number().min(0), z.number().min(0)]).readonly()], {
      error: 'expected a number A, or two [A, R], of at least 0',
    })
    .describe('a sample is right where |y − t| ≤ A + R·|t| of each of its values'),
  anomalyThreshold: z
    .number()
    .min(0)
    .describe('mean squared difference of output and input above which a sample is anomalous'),
  outputName: z.string().min(1).describe('the output that is judged; default: all'),
};
