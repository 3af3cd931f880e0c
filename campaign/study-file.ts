import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { didYouMean, InputError, readFileChecked } from '../core/index.js';
import { canonicalFields, parseStudy, STUDY_FIELDS, type Study, validateField } from './study.js';

/**
 * Read a study file (YAML; JSON is YAML, too): a mapping of the fields of a study.
 *
 * @param overrides fields that stand above those of the file
 * @throws InputError naming file, line and column of what is wrong
 */
export function readStudyFile(file: string, overrides: Readonly<Record<string, unknown>>): Study {
  const lines = new LineCounter();
  const document = parseDocument(new TextDecoder().decode(readFileChecked(file)), {
    lineCounter: lines,
  });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error) throw new InputError(`${place(error.pos[0])}: ${error.message.split('\n')[0]}`);
  const { contents } = document;
  if (!isMap(contents)) {
    throw new InputError(`${file}: expected a mapping of ${STUDY_FIELDS.join(', ')}`);
  }
  const fields: Record<string, unknown> = {};
  for (const { key, value } of contents.items) {
    const offset = (key as Node).range?.[0] ?? 0;
    const name = isScalar(key) ? String(key.value) : '';
    if (!STUDY_FIELDS.includes(name)) {
      throw new InputError(
        `${place(offset)}: unknown field "${name}"${didYouMean(name, STUDY_FIELDS)}`,
      );
    }
    fields[name] = (value as Node | null)?.toJS(document);
    checkField(name, fields[name], place((value as Node | null)?.range?.[0] ?? offset));
  }
  return parseStudy({ ...canonicalFields(fields), ...canonicalFields(overrides) });
}

/** Find what is wrong with one field while its place is known. */
function checkField(name: string, value: unknown, place: string): void {
  try {
    validateField(name, value);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${place}: ${error.message}`, { cause: error });
  }
}
