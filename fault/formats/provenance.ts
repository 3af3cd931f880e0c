import { z } from 'zod';
import { FAULT_KINDS } from '../fault-kind.js';
import { type Provenance, TILINGS } from '../fault-map.js';
import { faultModelSchema } from '../model/fault-model.js';

const wholeNumber = z.int({ error: 'a whole number from 0' }).nonnegative();

const generated = {
  source: z.literal('generated'),
  seed: wholeNumber,
  trial: wholeNumber,
  rate: z.number({ error: 'a number from 0 to 1' }).min(0).max(1),
};

const fromFile1 = z.strictObject({
  source: z.literal('file'),
  file: z.string({ error: 'the name of a file' }),
});

const size = z.int({ error: 'a positive whole number' }).positive();
const texts = z.array(z.string({ error: 'a text' }), { error: 'a list of texts' }).readonly();

const fromFile = fromFile1.extend({
  labels: z.record(z.string(), texts).readonly().optional(),
  comments: texts.optional(),
  storage: z.string({ error: 'the name of a storage' }).optional(),
  placed: z
    .strictObject({
      tile: z.enum(TILINGS, { error: `one of ${TILINGS.join(', ')}` }),
      banks: size,
      rows: size,
      columns: size,
      offset: z.tuple([wholeNumber, wholeNumber, wholeNumber]).readonly(),
    })
    .optional(),
});

const union = {
  error: ({ code }: { code: string }) =>
    code === 'invalid_union' ? '"generated" or "file"' : 'an object',
};

/** Provenance as files state it since version 2. */
export const provenanceSchema = z.discriminatedUnion(
  'source',
  [
    z.strictObject({
      source: generated.source,
      model: faultModelSchema,
      seed: generated.seed,
      trial: generated.trial,
      rate: generated.rate,
      selection: z.string({ error: 'the name of a selection of cells' }).optional(),
      storage: z.string({ error: 'the name of a storage' }).optional(),
    }),
    fromFile,
  ],
  union,
);

const uniform = z.strictObject({
  ...generated,
  generator: z.literal('uniform', { error: '"uniform"' }),
  faults: z.enum([...FAULT_KINDS, 'stuck-at'], {
    error: `one of ${FAULT_KINDS.join(', ')}, stuck-at`,
  }),
});

/** Provenance in version 1, which knew uniform maps only. */
export const provenanceSchema1 = z.discriminatedUnion('source', [uniform, fromFile1], union);

/** A provenance of version 1 in today's terms. */
export function upgradeProvenance(provenance: z.infer<typeof provenanceSchema1>): Provenance {
  if (provenance.source === 'file') return provenance;
  const { source, seed, trial, rate, faults } = provenance;
  return { source, model: { model: 'uniform', faults }, seed, trial, rate };
}

/**
 * Provenance as JSON with its fields in the order of the format, whatever order the object has: equal
 * provenances give equal text.
 */
export function formatProvenance(provenance: Provenance): string {
  return JSON.stringify(provenanceSchema.parse(provenance));
}
