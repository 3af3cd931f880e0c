import { z } from 'zod';
import { CLIP_POSITIONS, CLIP_USES, type ClipPosition, type ClipUse } from './activations/clip.js';
import type { PartGroup } from './memory/mechanism.js';
import { MECHANISMS, type MemoryPart } from './memory/mechanisms.js';
import type { ParameterForm } from './memory/stages.js';
import { GRANULARITIES, type Granularity } from './thresholds/granularity.js';

/** The longest name of a layer, and the most of them in one part. */
const LONGEST_NAME = 500;
const MOST_LAYERS = 1000;

const layerName = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .regex(/^\P{Cs}*$/u, 'expected well-formed Unicode');

const clipParameters = {
  granularity: z
    .enum(GRANULARITIES)
    .optional()
    .describe('what shares a threshold; default: the granularity of the study'),
  position: z
    .enum(CLIP_POSITIONS)
    .optional()
    .describe(
      'clip accumulators, or (int8 words only) the outputs after requantisation; default: the clipPosition of the study',
    ),
  layers: z
    .array(layerName)
    .min(1)
    .max(MOST_LAYERS)
    .refine((names) => new Set(names).size === names.length, 'expected each layer once')
    .optional()
    .describe('the layers that are clipped; default: all that have thresholds'),
  thresholds: z
    .string()
    .min(1)
    .optional()
    .describe('file of clip thresholds; default: those of the study'),
};

/** A clip behind the accumulators of some layers, as a user may give it. */
export const clipPartSchema = z.strictObject({ use: z.enum(CLIP_USES), ...clipParameters });

/** What stands behind accumulators; what is left away, the study says. */
export interface ActivationPart {
  readonly use: ClipUse;
  /** What shares a threshold of profile maxima. */
  readonly granularity?: Granularity | undefined;
  readonly position?: ClipPosition | undefined;
  /** Names of the layers that are clipped; default: all with thresholds. */
  readonly layers?: readonly string[] | undefined;
  /** File of thresholds. */
  readonly thresholds?: string | undefined;
}

/** A part of a mitigation: in the weight memory, or behind the accumulators. */
export type MitigationPart = MemoryPart | ActivationPart;

/** What protects a network, as plain data that can be posted and written as JSON; without parts: nothing. */
export interface Mitigation {
  /** The label of its rows: given by the user, or the words that stand for it, which parse back to it. */
  readonly name: string;
  readonly parts: readonly MitigationPart[];
}

/** The name of the unprotected network. */
export const UNPROTECTED = 'none';

export const NO_MITIGATION: Mitigation = { name: UNPROTECTED, parts: [] };

/** What is known of a kind of part. */
export interface PartKind {
  /** How its parameters are written, in canonical order. */
  readonly parameters: Readonly<Record<string, ParameterForm>>;
  readonly schema: z.ZodType;
  /** Values of parameters that say nothing new. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Two parts of one group cannot stand together. */
  readonly group: PartGroup | 'activation unit';
}

const CLIP: PartKind = {
  group: 'activation unit',
  schema: clipPartSchema,
  parameters: { granularity: 'word', position: 'word', layers: 'words', thresholds: 'file' },
};

/** Every kind of part in the order of reading, from the cells to the activation. */
export const PART_KINDS: Readonly<Record<MitigationPart['use'], PartKind>> = {
  ...MECHANISMS,
  clip: CLIP,
  clamp: CLIP,
  // Tuned thresholds are as fine as their search made them.
  'clip-tuned': {
    ...CLIP,
    parameters: { position: 'word', layers: 'words', thresholds: 'file' },
  },
};

/** The parts that stand in the weight memory. */
export function memoryPartsOf({ parts }: Mitigation): MemoryPart[] {
  return parts.filter((part): part is MemoryPart => part.use in MECHANISMS);
}

/** The part that stands behind the accumulators, if there is one. */
export function activationPartOf({ parts }: Mitigation): ActivationPart | undefined {
  return parts.find(isActivationPart);
}

/** Equal for mitigations that put the same behind the accumulators; `UNPROTECTED` for those that put nothing there. */
export function activationKeyOf(mitigation: Mitigation): string {
  const part = activationPartOf(mitigation);
  return part ? JSON.stringify(part) : UNPROTECTED;
}

function isActivationPart(part: MitigationPart): part is ActivationPart {
  return !(part.use in MECHANISMS);
}

/** The words that name a kind of part, and the one for none. */
export const MITIGATION_WORDS: readonly string[] = [UNPROTECTED, ...Object.keys(PART_KINDS)];

/** A part with its parameters in canonical order, lists sorted, without those that are undefined or as by default. */
export function canonicalPart<Part extends MitigationPart>(part: Part): Part {
  const { parameters, defaults } = PART_KINDS[part.use];
  const entries = Object.keys(parameters).flatMap((name) => {
    const value: unknown = Reflect.get(part, name);
    if (value === undefined || value === defaults?.[name]) return [];
    return [[name, Array.isArray(value) ? sorted(value) : value]];
  });
  return { use: part.use, ...Object.fromEntries(entries) };
}

/** Names in the order of their code units, numbers from the largest: the most significant bit first. */
function sorted(values: readonly (string | number)[]): (string | number)[] {
  return [...values].sort((a, b) =>
    typeof a === 'number' && typeof b === 'number' ? b - a : a < b ? -1 : 1,
  );
}

/**
 * The words of parts, as they stand on a command line: `clip:granularity=neuron`, parts joined by `+`, lists by `/`,
 * other characters of a name by their bytes as `%2F`. Undefined where a part names a file, which words cannot.
 */
export function wordsOf(parts: readonly MitigationPart[]): string | undefined {
  if (parts.length === 0) return UNPROTECTED;
  const words = parts.map(partWords);
  return words.includes(undefined) ? undefined : words.join('+');
}

function partWords(part: MitigationPart): string | undefined {
  const { use, ...parameters } = canonicalPart(part);
  if ('thresholds' in parameters) return undefined;
  const written = Object.entries(parameters).map(
    ([name, value]) => `:${name}=${listOf(value).map(String).map(escapeName).join('/')}`,
  );
  return `${use}${written.join('')}`;
}

/** What stands between slashes: the entries of a list, a choice and its number, or one value. */
function listOf(value: unknown): readonly unknown[] {
  const isChoice = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isChoice ? Object.entries(value).flat() : [value].flat();
}

/** Characters that part words, or that a terminal or a shell would not show as they are. */
const SPECIAL = /[%+:=/,\s\p{C}]/gu;

function escapeName(text: string): string {
  return text.replace(SPECIAL, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `%${byte.toString(16).padStart(2, '0')}`,
    ).join(''),
  );
}

/** A mitigation as briefly as it may be written to get it back: its words, where they say it. */
export function mitigationInput(mitigation: Mitigation): string | Mitigation {
  const { name, parts } = mitigation;
  return name === wordsOf(parts) ? name : mitigation;
}

/** What a study says for the parts that do not say it themselves. */
export interface PartDefaults {
  readonly granularity?: ActivationPart['granularity'];
  readonly position: NonNullable<ActivationPart['position']>;
}

/**
 * A mitigation without what the defaults say as well, so that two that are the same have the same name: a name of its
 * own stays.
 */
export function withoutDefaults(mitigation: Mitigation, defaults: PartDefaults): Mitigation {
  const { name } = mitigation;
  const parts = mitigation.parts.map((part) => {
    if (!isActivationPart(part)) return part;
    const { granularity, position, ...rest } = part;
    return canonicalPart({
      ...rest,
      ...(granularity !== defaults.granularity && { granularity }),
      ...(position !== defaults.position && { position }),
    });
  });
  const isNamed = name !== wordsOf(mitigation.parts);
  return { name: isNamed ? name : (wordsOf(parts) ?? name), parts };
}
