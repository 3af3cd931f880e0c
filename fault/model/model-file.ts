import { stringify } from 'yaml';
import { excerpt, InputError, parseYaml, readTextChecked } from '../../core/index.js';
import { type FaultModel, faultModelIssue, parseFaultModel } from './fault-model.js';

/**
 * Reads a fault model from YAML (JSON is YAML, too): a mapping of the fields of `FaultModel`.
 *
 * @throws InputError naming file, line and column of what is wrong, with its value and what was expected.
 */
export function readFaultModel(file: string): FaultModel {
  return parseFaultModelText(readTextChecked(file), file);
}

/**
 * A fault model from the text of a YAML file; see `readFaultModel`.
 *
 * @param file Name for messages.
 */
export function parseFaultModelText(text: string, file: string): FaultModel {
  const yaml = parseYaml(text, file);
  const { value } = yaml;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${file}:1:1: expected a fault model, a mapping with the field "model".`);
  }
  const issue = faultModelIssue(value);
  if (issue === undefined) return parseFaultModel(value, file);
  const field = issue.path.length === 0 ? 'the model' : issue.path.join('.');
  throw new InputError(`${yaml.placeOf(issue.path)}: ${excerpt(field)} ${issue.problem}.`);
}

/**
 * A fault model as the text of a YAML file; `parseFaultModelText` is the inverse.
 *
 * @param comments lines above it, without their #
 */
export function formatFaultModel(model: FaultModel, comments: readonly string[] = []): string {
  const head = comments.map((comment) => `# ${comment.replace(/\s+/g, ' ')}\n`).join('');
  return `${head}${stringify(model)}`;
}
