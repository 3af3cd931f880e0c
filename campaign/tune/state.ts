import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  firstIssue,
  InputError,
  lockFile,
  parseJson,
  readTextChecked,
  writeFileAtomic,
} from '../../core/index.js';
import { describeDifferences } from '../store/differences.js';

/** The file of a search's folder. */
export const STATE_FILE = 'tuning.json';

/** Beside it while a process searches. */
const LOCK_FILE = 'tuning.lock';

const schema = z.strictObject({
  format: z.literal('bitcell-tuning'),
  version: z.literal(1),
  configuration: z.record(z.string(), z.unknown()),
  products: z.number(),
  evaluations: z.record(z.string(), z.array(z.int().nullable())),
});

/** Images classified correctly, by rate and then map; null: not known yet. */
export type Counts = (number | null)[];

/** What a search has found out so far; what it knows is all it needs to go on. */
export interface TuningState {
  /** By a key that says what was evaluated. */
  readonly evaluations: Map<string, Counts>;
  /** Multiply-accumulates done for them. */
  products: number;
  /** Save now. */
  save(): void;
  /** Let other processes use the folder. */
  close(): void;
}

/**
 * The state of a search, kept in a folder that no other process may use meanwhile; without one, in memory only.
 *
 * @param configuration all that the counts depend on, values that JSON can hold
 * @throws InputError when another process uses the folder, when it holds a search and `resume` is false, or one of
 * another configuration
 */
export function openState(
  folder: string | undefined,
  configuration: Readonly<Record<string, unknown>>,
  resume: boolean,
): TuningState {
  if (folder === undefined) {
    return { evaluations: new Map(), products: 0, save: () => {}, close: () => {} };
  }
  const lock = lockFile(join(folder, LOCK_FILE), folder);
  try {
    return createState(folder, configuration, resume, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function createState(
  folder: string,
  configuration: Readonly<Record<string, unknown>>,
  resume: boolean,
  close: () => void,
): TuningState {
  const file = join(folder, STATE_FILE);
  const found = existsSync(file) ? readState(file) : undefined;
  if (found && !resume) {
    throw new InputError(`${folder} already holds a search: choose another folder or add --resume`);
  }
  const differences = found
    ? describeDifferences(found.configuration, parseJson(JSON.stringify(configuration), file))
    : [];
  if (differences.length > 0) {
    throw new InputError(`${folder} holds another search: ${differences.join('; ')}`);
  }
  const state: TuningState = {
    evaluations: new Map(Object.entries(found?.evaluations ?? {})),
    products: found?.products ?? 0,
    close,
    save() {
      const { evaluations, products } = state;
      writeFileAtomic(
        file,
        `${JSON.stringify({
          format: 'bitcell-tuning',
          version: 1,
          configuration,
          products,
          evaluations: Object.fromEntries(evaluations),
        } satisfies z.infer<typeof schema>)}\n`,
      );
    },
  };
  state.save();
  return state;
}

function readState(file: string): z.infer<typeof schema> {
  const content = parseJson(readTextChecked(file), file);
  const result = schema.safeParse(content);
  if (!result.success) {
    const { field, message } = firstIssue(result.error, content);
    throw new InputError(
      `${file} is no search of this version: at ${field || 'the top'}: ${message}`,
    );
  }
  return result.data;
}
