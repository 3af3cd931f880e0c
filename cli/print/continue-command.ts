import {
  DEFAULT_STUDY,
  parseStudyFields,
  STUDY_AXES,
  STUDY_FIELDS,
  type Study,
  studyInputOf,
} from '../../campaign/index.js';

/** The axes whose values may have a comma in them: each has an option of its own. */
const REPEATED: readonly string[] = STUDY_AXES.filter(
  ({ option }) => option.values === 'files',
).map(({ name }) => name);

/** Options of `bitcell run` for the fields of a resolved study, in the order of a command line. */
const OPTIONS: readonly (readonly [keyof Study, string])[] = [
  ...STUDY_AXES.map(({ name, option }) => [name, option.flag] as const),
  ['placement', '--placement'],
  ['granularity', '--granularity'],
  ['clipPosition', '--clip-position'],
  ['maps', '--maps'],
  ['images', '--images'],
  ['imageChoice', '--image-choice'],
  ['precision', '--precision'],
  ['seed', '--seed'],
];

/**
 * The command that continues a saved study, ready to be pasted into a shell; where options cannot say what the study
 * is, with its file left to be named.
 *
 * @param configuration of the store: not trusted
 */
export function continueCommand(
  configuration: Readonly<Record<string, unknown>>,
  folder: string,
): string {
  const options = studyOptions(configuration) ?? ['STUDY.yaml'];
  return ['bitcell', 'run', ...options, '--out', shellWord(folder), '--resume'].join(' ');
}

function studyOptions(configuration: Readonly<Record<string, unknown>>): string[] | undefined {
  const resolved = resolvedStudy(configuration);
  if (!resolved) return undefined;
  const study = studyInputOf(resolved);
  const defaults = studyInputOf(DEFAULT_STUDY);
  const words: string[] = [];
  for (const [field, option] of OPTIONS) {
    const value = study[field];
    const preset = defaults[field];
    if (value === undefined || JSON.stringify(value) === JSON.stringify(preset)) continue;
    const items = (Array.isArray(value) ? value : [value]) as readonly unknown[];
    // Models as objects have no word; a comma would part a name in two.
    if (items.some((item) => typeof item === 'object')) return undefined;
    const texts = items.map(String);
    if (REPEATED.includes(field)) {
      words.push(...texts.flatMap((text) => [option, shellWord(text)]));
      continue;
    }
    if (texts.some((text) => text.includes(','))) return undefined;
    words.push(option, shellWord(texts.join(',')));
  }
  const files = Object.values(study.thresholds ?? {});
  if (files.length > 1 || (files.length === 1 && study.models.length > 1)) return undefined;
  return [...words, ...files.flatMap((file) => ['--thresholds', shellWord(file)])];
}

function resolvedStudy(configuration: Readonly<Record<string, unknown>>): Study | undefined {
  const fields = Object.entries(configuration).filter(([name]) => STUDY_FIELDS.includes(name));
  try {
    return parseStudyFields(Object.fromEntries(fields));
  } catch {
    return undefined;
  }
}

/** A text as one word of a POSIX shell; control characters, which a terminal would obey, by their numbers. */
function shellWord(text: string): string {
  if (/^[\w./:@%+][\w./:@%+,-]*$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 32 || (code >= 127 && code < 160)) return `\\u${code.toString(16).padStart(4, '0')}`;
    return character === "'" || character === '\\' ? `\\${character}` : character;
  });
  return `$'${escaped.join('')}'`;
}
