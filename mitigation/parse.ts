import { z } from 'zod';
import { didYouMean, InputError, interpret, parseDecimal, shownValue } from '../core/index.js';
import { requireMovableWeights } from './memory/reorderer.js';
import type { ParameterForm } from './memory/stages.js';
import {
  canonicalPart,
  MITIGATION_WORDS,
  type Mitigation,
  type MitigationPart,
  NO_MITIGATION,
  PART_KINDS,
  type PartKind,
  UNPROTECTED,
  wordsOf,
} from './mitigation.js';

const HOW =
  'a word such as clip, parts joined by +, such as clip:granularity=neuron, a mapping {use: clip, granularity: neuron}, or {name: NAME, parts: […]}';

/** The longest text of a mitigation, and the longest name that a user may give one. */
const LONGEST_WORDS = 4096;
const LONGEST_NAME = 80;
const MOST_PARTS = 16;

/**
 * A mitigation from what a user gives: its words, one part as a mapping, or a name with parts.
 *
 * @throws InputError naming the word, part or parameter, and what may stand there
 */
export function parseMitigation(input: unknown): Mitigation {
  if (typeof input === 'string') return unnamed(parseWords(input));
  if (!isMapping(input)) throw new InputError(`expected ${HOW}`);
  if (!('name' in input) && !('parts' in input)) return unnamed([checkPart(input)]);
  return named(input);
}

/** A mitigation in a study: what `parseMitigation` takes. */
export const mitigationSchema = z
  .unknown()
  .transform((input, context) => interpret(() => parseMitigation(input), context));

const partSchema = z.union([...new Set(Object.values(PART_KINDS).map(({ schema }) => schema))] as [
  z.ZodType,
  z.ZodType,
]);

/** What a user may write for a mitigation, for editors. */
export const mitigationInputSchema = z
  .union([
    z.string().min(1),
    partSchema,
    z.strictObject({
      name: z.string().min(1).max(LONGEST_NAME),
      parts: z.array(z.union([z.string().min(1), partSchema])).max(MOST_PARTS),
    }),
  ])
  .meta({ examples: [...MITIGATION_WORDS, 'clip:granularity=neuron'] });

function unnamed(parts: readonly MitigationPart[]): Mitigation {
  const ordered = inOrder(parts);
  const name = wordsOf(ordered);
  if (name === undefined) {
    throw new InputError(
      'a part with a file of its own needs a name for its rows: give {name: NAME, parts: […]}',
    );
  }
  return compose(name, ordered);
}

function named(input: Readonly<Record<string, unknown>>): Mitigation {
  const { name, parts, ...others } = input;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new InputError(`unknown key ${shownValue(other)} beside name and parts`);
  }
  if (!Array.isArray(parts) || parts.length > MOST_PARTS) {
    throw new InputError(`parts = ${shownValue(parts)}: expected a list of parts`);
  }
  const checked = inOrder(
    parts.flatMap((part) => (typeof part === 'string' ? parseWords(part) : [checkPart(part)])),
  );
  return compose(checkName(name, wordsOf(checked)), checked);
}

/** A name that nobody takes for words of another meaning. */
function checkName(name: unknown, words: string | undefined): string {
  if (typeof name !== 'string' || !/^[^,\p{C}\p{Zl}\p{Zp}]+$/u.test(name) || name.trim() !== name) {
    throw new InputError(
      `name = ${shownValue(name)}: expected a printable text without commas and without space around it`,
    );
  }
  if (name.length > LONGEST_NAME && name !== words) {
    throw new InputError(`a name has ${name.length} characters, expected at most ${LONGEST_NAME}`);
  }
  const [word] = name.split(/[:+]/);
  if (MITIGATION_WORDS.includes(word) && name !== words) {
    throw new InputError(
      `name = ${shownValue(name)} reads as a mitigation that it is not (${words ?? 'one with a file'}): choose another name`,
    );
  }
  return name;
}

/** @throws InputError when parts cannot stand together */
function compose(name: string, parts: readonly MitigationPart[]): Mitigation {
  for (const [index, part] of parts.entries()) {
    const { group } = PART_KINDS[part.use];
    const other = parts.slice(0, index).find(({ use }) => PART_KINDS[use].group === group);
    if (!other) continue;
    const uses = [other, part].map((one) => wordsOf([one]) ?? one.use);
    throw new InputError(
      `${uses.join(' and ')} cannot stand together: ${WHY_ONE[group]}; give them as mitigations of their own`,
    );
  }
  requireMovableWeights(parts);
  return name === UNPROTECTED ? NO_MITIGATION : { name, parts };
}

/** Why there is one part of a group at most. */
const WHY_ONE: Readonly<Record<PartKind['group'], string>> = {
  repair: 'a bank is repaired once',
  masking: 'words are masked in one way',
  cells: 'the bits of a weight are guarded in one way',
  code: 'a memory word is encoded once',
  transform: 'a memory word is written in one way',
  order: 'the channels of a layer are ordered once',
  screen: 'a weight is checked once',
  'activation unit':
    'there is one activation unit behind an accumulator, and each of them would be it',
};

/** In the order of reading, whatever order they are given in. */
function inOrder(parts: readonly MitigationPart[]): MitigationPart[] {
  const order = Object.keys(PART_KINDS);
  return [...parts].sort((a, b) => order.indexOf(a.use) - order.indexOf(b.use));
}

function parseWords(text: string): MitigationPart[] {
  if (text === UNPROTECTED) return [];
  if (text.length > LONGEST_WORDS) {
    throw new InputError(
      `a mitigation has ${text.length} characters, expected at most ${LONGEST_WORDS}`,
    );
  }
  return text.split('+').map(parsePart);
}

function parsePart(text: string): MitigationPart {
  const [use, ...parameters] = text.split(':');
  const kind = requireUse(use);
  const part: Record<string, unknown> = { use };
  for (const parameter of parameters) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(parameter) ?? [];
    if (name === undefined) {
      throw new InputError(`${use}: ${shownValue(parameter)} is no parameter: expected NAME=VALUE`);
    }
    requireParameter(kind, name);
    if (name in part) throw new InputError(`${use}: ${name} is given twice`);
    const form = PART_KINDS[kind].parameters[name];
    if (form === 'file') {
      throw new InputError(
        `${use}: ${name} names a file, which a study file alone can: give {name: NAME, parts: [{use: ${use}, ${name}: FILE}]}`,
      );
    }
    part[name] = parameterOf(form, value);
  }
  return checkPart(part);
}

/** What a text stands for; one that stands for nothing is left to the schema to refuse. */
function parameterOf(form: ParameterForm, text: string): unknown {
  switch (form) {
    case 'words':
      return text.split('/').map(unescapeName);
    case 'numbers':
      return text.split('/').map((word) => parseDecimal(word) ?? word);
    case 'number':
      return parseDecimal(text) ?? text;
    case 'choice':
      return choiceOf(text) ?? text;
    case 'flag':
      return text === 'true' || (text === 'false' ? false : text);
    default:
      return unescapeName(text);
  }
}

function choiceOf(text: string): Readonly<Record<string, number>> | undefined {
  const [, word, number] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  const value = number === undefined ? undefined : parseDecimal(number);
  return value === undefined ? undefined : { [word]: value };
}

function unescapeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputError(`${shownValue(text)}: expected %XX of UTF-8 only`);
  }
}

function checkPart(input: unknown): MitigationPart {
  if (!isMapping(input)) throw new InputError(`part ${shownValue(input)}: expected ${HOW}`);
  const { use } = input;
  const kind = requireUse(use);
  for (const name of Object.keys(input)) if (name !== 'use') requireParameter(kind, name);
  const result = PART_KINDS[kind].schema.safeParse(input);
  if (result.success) return canonicalPart(result.data as MitigationPart);
  const [{ path, message }] = result.error.issues;
  const [field] = path;
  throw new InputError(
    `${kind}: ${path.join('.')} = ${shownValue(Reflect.get(input, field))}: ${message}`,
  );
}

function requireUse(use: unknown): MitigationPart['use'] {
  if (typeof use === 'string' && Object.hasOwn(PART_KINDS, use)) {
    return use as MitigationPart['use'];
  }
  if (use === UNPROTECTED) throw new InputError(`${UNPROTECTED} stands alone, without parts`);
  const hint = typeof use === 'string' ? didYouMean(use, MITIGATION_WORDS) : '';
  throw new InputError(
    `unknown mitigation ${shownValue(use)}${hint}: expected ${MITIGATION_WORDS.join(', ')}, or ${HOW}`,
  );
}

function requireParameter(use: MitigationPart['use'], name: string): void {
  const known = Object.keys(PART_KINDS[use].parameters);
  if (known.includes(name)) return;
  const reason =
    use === 'clip-tuned' && name === 'granularity'
      ? ': tuned thresholds are as fine as their search made them'
      : didYouMean(name, known);
  throw new InputError(
    `${use} has no parameter ${shownValue(name)}${reason}; it has ${known.join(', ')}`,
  );
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
