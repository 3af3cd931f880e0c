import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { didYouMean, fileProblem, InputError } from '../../../core/index.js';
import type { ConditionLabels, ConditionName } from '../../../fault/index.js';

/** A file of faults, with what its name says. */
export interface DieFile {
  readonly file: string;
  readonly labels: ConditionLabels;
}

const LABELS: readonly ConditionName[] = ['die', 'lot', 'wafer', 'x', 'y', 'voltage'];

/**
 * The files of measured dies, each once: of a folder all but hidden ones, in the order of their names; of a pattern
 * with `*` and `?` in its last part those whose names fit; any other name is a file.
 *
 * @param pattern labels in the names of files, such as `{die}_{voltage}V.csv`
 * @throws InputError when there are none, or the name of one does not fit the pattern of labels
 */
export function dieFiles(specs: readonly string[], pattern: string | undefined): DieFile[] {
  const labelsOf = pattern === undefined ? () => ({}) : labelReader(pattern);
  const files = new Set(specs.flatMap(filesOf));
  return [...files].map((file) => ({ file, labels: labelsOf(file) }));
}

function filesOf(spec: string): readonly string[] {
  if (existsSync(spec)) return statSync(spec).isDirectory() ? filesOfFolder(spec) : [spec];
  const name = basename(spec);
  if (!/[*?]/.test(name)) {
    throw new InputError(
      `--fault-maps ${spec}: there is no such file or folder; give a folder, a pattern such as "maps/*.csv", or a table.`,
    );
  }
  const folder = dirname(spec);
  const fits = expressionOf(name.split(/([*?])/), (part) => {
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : undefined;
  });
  const found = namesIn(folder).filter((file) => fits.test(file));
  if (found.length > 0) return found.map((file) => join(folder, file));
  throw new InputError(`--fault-maps ${spec}: no file of ${folder} has such a name.`);
}

function filesOfFolder(folder: string): readonly string[] {
  const names = namesIn(folder);
  if (names.length > 0) return names.map((name) => join(folder, name));
  throw new InputError(
    `--fault-maps ${folder}: the folder holds no file; put a fault map for each die there.`,
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new InputError(`Cannot read ${folder}: ${fileProblem(error)}.`, { cause: error });
  }
}

/** A function that reads labels in the name of a file. */
function labelReader(pattern: string): (file: string) => ConditionLabels {
  const names = Array.from(pattern.matchAll(/\{(\w*)\}/g), ([, name]) => name);
  const unknown = names.find((name) => !LABELS.some((label) => label === name));
  if (unknown !== undefined) {
    throw new InputError(
      `--die-labels ${pattern}: {${unknown}} is no label${didYouMean(unknown, LABELS)}; labels are ${LABELS.join(', ')}.`,
    );
  }
  if (new Set(names).size < names.length) {
    throw new InputError(`--die-labels ${pattern}: it has a label twice.`);
  }
  const fits = expressionOf(pattern.split(/(\{\w*\})/), (part) =>
    /^\{\w*\}$/.test(part) ? `(?<${part.slice(1, -1)}>.+?)` : undefined,
  );
  return (file) => {
    const { groups } = fits.exec(basename(file)) ?? {};
    if (groups !== undefined) return { ...groups };
    throw new InputError(`${file}: its name does not fit --die-labels ${pattern}.`);
  };
}

/** An expression for a whole name, of parts that stand for themselves unless `special` says otherwise. */
function expressionOf(
  parts: readonly string[],
  special: (part: string) => string | undefined,
): RegExp {
  const escaped = parts.map(
    (part) => special(part) ?? part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
  return new RegExp(`^${escaped.join('')}$`, 's');
}

/** The name of a file without its folder, its extension and that of gzip. */
export function dieOfFile(file: string): string {
  const name = basename(file).replace(/\.gz$/i, '');
  return basename(name, extname(name));
}
