import { z } from 'zod';
import { InputError } from './errors.js';
import { excerpt } from './excerpt.js';
import { fieldName, schemaIssue } from './schema-issue.js';
import { didYouMean } from './suggestion.js';
import { parseYaml, type YamlFile } from './yaml.js';

/**
 * Read a configuration (YAML; JSON is YAML, too) and check it against its schema.
 *
 * @param file where the text comes from, named in errors
 * @throws InputError naming file, line, column and key of what is wrong; unknown keys with the nearest known one
 */
export function parseConfiguration<T extends z.ZodType>(
  schema: T,
  text: string,
  file: string,
): z.output<T> {
  const yaml = parseYaml(text, file);
  const result = schema.safeParse(yaml.value);
  if (result.success) return result.data;
  throw configurationError(innermost(mostTelling(result.error.issues)), schema, yaml);
}

/** The JSON Schema (draft 2020-12) of a configuration as it is written in files, for editors. */
export function configurationJsonSchema(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

/**
 * A text with a unit, such as `256KiB`, that becomes a number.
 *
 * @param parse from `units.ts`; its InputError becomes an error at the place of the text
 */
export function quantity(parse: (text: string) => number, example: string) {
  return z
    .string({ error: `expected a number and a unit, for example ${example}` })
    .meta({ examples: [example] })
    .transform((text, context) => interpret(() => parse(text), context));
}

/** The value that `read` makes of an input; its InputError becomes an error at the input's place. */
export function interpret<T>(read: () => T, context: z.RefinementCtx): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue({ code: 'custom', message: error.message.replace(/\.$/, '') });
    return z.NEVER;
  }
}

type Issue = z.core.$ZodIssue;

/** A mistyped key is also a missing one; the first says more. */
function mostTelling(issues: readonly Issue[]): Issue {
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
}

/** Of a union, what is wrong inside the alternative that the value comes nearest to. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inside = issue.errors
    .flat()
    .filter(
      ({ code, path }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom',
    );
  if (inside.length === 0) return issue;
  const told = mostTelling(inside);
  return innermost({ ...told, path: [...issue.path, ...told.path] });
}

function configurationError(issue: Issue, schema: z.ZodType, yaml: YamlFile): InputError {
  const { path, field, value, message, unknownKey } = schemaIssue(issue, yaml.value);
  if (unknownKey !== undefined) {
    const around = path.slice(0, -1);
    const inside = around.length === 0 ? '' : ` in ${fieldName(around)}`;
    const hint = didYouMean(unknownKey, knownKeys(schema, around));
    return new InputError(
      `${yaml.placeOfKey(path)}: unknown key "${excerpt(unknownKey)}"${inside}${hint}.`,
    );
  }
  const what = field && `${field}${value === undefined ? ' is missing' : ''}: `;
  return new InputError(`${yaml.placeOf(path)}: ${what}${message}.`);
}

/** The keys that an object at a path may have. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let nodes: readonly JsonSchema[] = [z.toJSONSchema(schema, { io: 'input' })];
  for (const key of path) {
    nodes = alternatives(nodes).flatMap(({ properties, items }) => {
      const next = typeof key === 'number' ? items : properties?.[String(key)];
      return isObjectSchema(next) ? [next] : [];
    });
  }
  return alternatives(nodes).flatMap(({ properties }) => Object.keys(properties ?? {}));
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

function alternatives(nodes: readonly JsonSchema[]): JsonSchema[] {
  return nodes.flatMap((node) => [
    node,
    ...alternatives((node.anyOf ?? []).filter(isObjectSchema)),
  ]);
}

function isObjectSchema(schema: unknown): schema is JsonSchema {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema);
}
