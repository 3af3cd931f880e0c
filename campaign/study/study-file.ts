import { didYouMean, excerpt, InputError, parseYaml, readTextChecked } from '../../core/index.js';
import {
  canonicalFields,
  parseStudyFields,
  STUDY_FIELDS,
  type Study,
  validateField,
} from './study.js';

/**
 * Read a study file (YAML; JSON is YAML, too): a mapping of the fields of a study.
 *
 * @param overrides fields that stand above those of the file
 * @throws InputError naming file, line and column of what is wrong
 */
export function readStudyFile(file: string, overrides: Readonly<Record<string, unknown>>): Study {
  const yaml = parseYaml(readTextChecked(file), file);
  const fields = yaml.value;
  if (!isMapping(fields)) {
    throw new InputError(`${file}: expected a mapping of ${STUDY_FIELDS.join(', ')}`);
  }
  for (const [name, value] of Object.entries(fields)) {
    if (!STUDY_FIELDS.includes(name)) {
      throw new InputError(
        `${yaml.placeOfKey([name])}: unknown field "${excerpt(name)}"${didYouMean(name, STUDY_FIELDS)}`,
      );
    }
    checkField(name, value, yaml.placeOf([name]));
  }
  return parseStudyFields({ ...canonicalFields(fields), ...canonicalFields(overrides) });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
