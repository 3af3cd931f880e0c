import { z } from 'zod';
import { SEARCH_GRANULARITIES } from './layer-threshold.js';

const share = z.number().min(0).max(1);

const common = {
  accelerator: z.string(),
  placement: z.enum(['resident', 'streamed']),
  faults: z.string(),
  /** Which weights were faulty while a layer was tuned. */
  faulty: z.enum(['whole-network', 'tuned-layer']),
  /** Ascending, above 0. */
  rates: z.array(z.number()).min(1).readonly(),
  /** Fault maps a rate; of a race the most. */
  maps: z.int().positive(),
  /** Training images a map. */
  images: z.int().positive(),
  /** Training images, the first of the set, from which each map draws its own. */
  pool: z.int().positive(),
  smallestGain: z.number().min(0),
  seed: z.int().min(0),
  /** The same accuracies on fault maps and test images that the search never saw. */
  judged: z
    .strictObject({
      maps: z.int().positive(),
      images: z.int().positive(),
      auc: z.strictObject({ none: share, clip: share, 'clip-tuned': share }).readonly(),
    })
    .readonly()
    .optional(),
};

/** In network order. */
const layersOf = <T extends z.ZodRawShape>(fields: T) =>
  z
    .array(
      z
        .strictObject({
          name: z.string(),
          actMax: z.number(),
          auc: z.strictObject({ before: share, after: share }).readonly(),
          ...fields,
        })
        .readonly(),
    )
    .readonly();

const intervalSearchRecord = z
  .strictObject({
    method: z.literal('interval-search'),
    ...common,
    leastRounds: z.int().positive(),
    mostRounds: z.int().positive(),
    /** Thresholds are real numbers, as the layer's outputs stand for them. */
    layers: layersOf({ threshold: z.number(), rounds: z.int().min(0) }),
  })
  .readonly();

const raceRecord = z
  .strictObject({
    method: z.literal('race'),
    ...common,
    granularity: z.enum(SEARCH_GRANULARITIES),
    factors: z.array(z.number()).readonly(),
    sweeps: z.int().min(0),
    leastMaps: z.int().positive(),
    standardErrors: z.number().positive(),
    /** Thresholds as shares of the profile maxima. */
    layers: layersOf({ factor: z.number(), races: z.int().min(0) }),
  })
  .readonly();

/** How tuned thresholds were found: all that the result depends on, what came out, and what it is worth. */
export const tuningRecord = z.discriminatedUnion('method', [intervalSearchRecord, raceRecord]);

export type TuningRecord = z.infer<typeof tuningRecord>;
