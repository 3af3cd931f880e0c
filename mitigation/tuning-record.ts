import { z } from 'zod';

const share = z.number().min(0).max(1);

/** How tuned thresholds were found: all that the result depends on, what came out, and what it is worth. */
export const tuningRecord = z
  .strictObject({
    method: z.literal('interval-search'),
    accelerator: z.string(),
    placement: z.enum(['resident', 'streamed']),
    faults: z.string(),
    /** Which weights were faulty while a layer was tuned. */
    faulty: z.enum(['whole-network', 'tuned-layer']),
    /** Ascending, above 0. */
    rates: z.array(z.number()).min(1).readonly(),
    /** Fault maps a rate. */
    maps: z.int().positive(),
    /** Training images a map. */
    images: z.int().positive(),
    /** Training images, the first of the set, from which each map draws its own. */
    pool: z.int().positive(),
    smallestGain: z.number().min(0),
    leastRounds: z.int().positive(),
    mostRounds: z.int().positive(),
    seed: z.int().min(0),
    /** In network order; thresholds are real numbers, as the layer's outputs stand for them. */
    layers: z
      .array(
        z
          .strictObject({
            name: z.string(),
            actMax: z.number(),
            threshold: z.number(),
            auc: z.strictObject({ before: share, after: share }).readonly(),
            rounds: z.int().min(0),
          })
          .readonly(),
      )
      .readonly(),
    /** The same accuracies on fault maps and test images that the search never saw. */
    judged: z
      .strictObject({
        maps: z.int().positive(),
        images: z.int().positive(),
        auc: z.strictObject({ none: share, clip: share, 'clip-tuned': share }).readonly(),
      })
      .readonly()
      .optional(),
  })
  .readonly();

export type TuningRecord = z.infer<typeof tuningRecord>;
