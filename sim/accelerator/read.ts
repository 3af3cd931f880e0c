import { extname } from 'node:path';
import { didYouMean, InputError, parseConfiguration, readTextChecked } from '../../core/index.js';
import type { Accelerator } from './accelerator.js';
import { ACCELERATOR_PRESETS } from './presets.js';
import { acceleratorSchema } from './schema.js';

const EXTENSIONS = ['.yaml', '.yml', '.json'];

/**
 * A preset by its name, or an accelerator from a file (recognised by the extension `.yaml`, `.yml` or `.json`).
 *
 * @throws InputError when there is no such preset, or the file is missing or not a valid configuration
 */
export function loadAccelerator(nameOrFile: string): Accelerator {
  if (EXTENSIONS.includes(extname(nameOrFile))) {
    return parseAccelerator(readTextChecked(nameOrFile), nameOrFile);
  }
  const preset = ACCELERATOR_PRESETS.find(({ name }) => name === nameOrFile);
  if (preset === undefined) {
    const names = ACCELERATOR_PRESETS.map(({ name }) => name);
    throw new InputError(
      `Unknown accelerator "${nameOrFile}"${didYouMean(nameOrFile, names)}: give one of ${names.join(', ')} or a .yaml or .json file.`,
    );
  }
  return preset;
}

/**
 * An accelerator from YAML (or JSON, which is YAML); docs/accelerators.md describes the keys.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column and key
 */
export function parseAccelerator(text: string, file: string): Accelerator {
  return parseConfiguration(acceleratorSchema, text, file);
}
