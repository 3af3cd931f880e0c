import { isMap, LineCounter, parseDocument } from 'yaml';
import { InputError, readTextChecked, wrongYamlNumber } from '../../core/index.js';
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
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const [error] = document.errors;
  if (error) throw new InputError(`${place(error.pos[0])}: ${error.message.split('\n')[0]}.`);
  const wrong = wrongYamlNumber(document);
  if (wrong) throw new InputError(`${place(wrong.offset)}: ${wrong.problem}.`);
  if (!isMap(document.contents)) {
    throw new InputError(`${file}:1:1: expected a fault model, a mapping with the field "model".`);
  }
  const value: unknown = document.toJS();
  const issue = faultModelIssue(value);
  if (issue === undefined) return parseFaultModel(value, file);
  const field = issue.path.length === 0 ? 'the model' : issue.path.join('.');
  throw new InputError(`${place(offsetOf(document, issue.path))}: ${field} ${issue.problem}.`);
}

/** Where the value at a path begins, or the nearest value around it that is there. */
function offsetOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly PropertyKey[],
): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    const range: unknown = typeof node === 'object' && node !== null && Reflect.get(node, 'range');
    if (Array.isArray(range)) return Number(range[0]);
  }
  return document.contents?.range?.[0] ?? 0;
}
