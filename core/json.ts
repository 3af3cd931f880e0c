import { InputError } from './errors.js';

/**
 * Parse JSON.
 *
 * @param file where the text comes from, named in errors
 * @throws InputError when it is not JSON
 */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file} is not valid JSON: ${reason}.`, { cause: error });
  }
}
