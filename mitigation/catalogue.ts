import { z } from 'zod';
import { MECHANISMS, type MemoryPart } from './memory/mechanisms.js';
import { type ActivationPart, type MitigationPart, PART_KINDS } from './mitigation.js';

/** A parameter of a part. */
export interface ParameterDescription {
  readonly name: string;
  /** What it may be, as it is written; null: a number, a name, or a list of them. */
  readonly values: readonly string[] | null;
  readonly description: string;
}

/** A kind of part that a mitigation can have. */
export interface PartDescription {
  readonly use: MitigationPart['use'];
  /** What it does. */
  readonly summary: string;
  /** Whether it is chosen for the faulty cells of a die, which a test must have found. */
  readonly knowsMap: boolean;
  readonly parameters: readonly ParameterDescription[];
}

const CLIPS: Readonly<Record<ActivationPart['use'], string>> = {
  clip: 'an activation above its threshold becomes 0',
  clamp: 'an activation above its threshold becomes the threshold',
  'clip-tuned': 'as clip, at thresholds that a search found',
};

/** Every kind of part, in the order of reading: from the cells to the activation. */
export function describeParts(): PartDescription[] {
  return [
    ...(Object.keys(MECHANISMS) as MemoryPart['use'][]).map((use) => {
      const { summary, knowsMap } = MECHANISMS[use];
      return { use, summary, knowsMap, parameters: parametersOf(use) };
    }),
    ...(Object.keys(CLIPS) as ActivationPart['use'][]).map((use) => {
      return { use, summary: CLIPS[use], knowsMap: false, parameters: parametersOf(use) };
    }),
  ];
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

function parametersOf(use: MitigationPart['use']): ParameterDescription[] {
  const { parameters, schema } = PART_KINDS[use];
  const { properties = {} }: JsonSchema = z.toJSONSchema(schema, { io: 'input' });
  return Object.keys(parameters).map((name) => {
    const property = properties[name] as JsonSchema;
    return { name, values: valuesOf(property), description: property.description ?? '' };
  });
}

function valuesOf({ type, enum: words, anyOf }: JsonSchema): string[] | null {
  if (type === 'boolean') return ['false', 'true'];
  if (words) return words.map(String);
  const constants = anyOf?.map((one) => (one as JsonSchema).const);
  return constants?.every((one) => one !== undefined) ? constants.map(String) : null;
}
