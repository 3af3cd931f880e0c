import { extname } from 'node:path';
import {
  didYouMean,
  excerpt,
  InputError,
  parseConfiguration,
  readTextChecked,
} from '../../core/index.js';
import { defineWeightMemory } from '../memory/weight-memory.js';
import type { Accelerator, TimedAccelerator } from './accelerator.js';
import { ACCELERATOR_PRESETS } from './presets.js';
import {
  parseScaleSimConfiguration,
  type ScaleSimConfiguration,
} from './scalesim-configuration.js';
import { acceleratorSchema } from './schema.js';

const EXTENSIONS = ['.yaml', '.yml', '.json'];

/** A SCALE-Sim configuration, perhaps with the weight memory that it says nothing of: `FILE.cfg@4x1024x64x4`. */
const SCALE_SIM_FILE = /^(.*\.cfg)(?:@(.*))?$/s;

/**
 * A preset by its name, or an accelerator from a file: `.yaml`, `.yml` or `.json`, or a SCALE-Sim configuration with
 * the weight memory behind its name, `FILE.cfg@BANKSxROWSxWORDBITS[xCOLUMNMUX]` or `FILE.cfg@fits-network`.
 *
 * @throws InputError when there is no such preset, or the file is missing or not a valid configuration, or nothing says
 *   what its weight memory is
 */
export function loadAccelerator(nameOrFile: string): Accelerator {
  const configured = loadConfiguration(nameOrFile);
  if (configured === undefined) return loadOwn(nameOrFile);
  const { name, array, weightMemory, buffers, bandwidth } = configured;
  if (weightMemory !== undefined) {
    return { name, array, weightMemory, buffers, ...(bandwidth && { bandwidth }) };
  }
  throw new InputError(
    `${nameOrFile}: a SCALE-Sim configuration has no weight memory (keys weightMemory.banks, weightMemory.rows, weightMemory.wordBits, weightMemory.columnMux), expected it behind the file's name: --accelerator ${nameOrFile}@BANKSxROWSxWORDBITSxCOLUMNMUX, such as ${nameOrFile}@4x1024x64x4, or ${nameOrFile}@fits-network.`,
  );
}

/**
 * An accelerator as `loadAccelerator` takes it, of which cycles alone are of interest: a SCALE-Sim configuration needs
 * no weight memory.
 *
 * @throws InputError when there is no such preset, or the file is missing or not a valid configuration
 */
export function loadTimedAccelerator(nameOrFile: string): TimedAccelerator {
  return loadConfiguration(nameOrFile) ?? loadOwn(nameOrFile);
}

/** The file that an accelerator comes from, without the weight memory behind its name; a preset's name is its own. */
export function acceleratorFile(nameOrFile: string): string {
  return SCALE_SIM_FILE.exec(nameOrFile)?.[1] ?? nameOrFile;
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

/** What a SCALE-Sim configuration says, with the weight memory behind its name; undefined if it is none. */
function loadConfiguration(
  nameOrFile: string,
): (ScaleSimConfiguration & Pick<TimedAccelerator, 'weightMemory'>) | undefined {
  const [, file, memory] = SCALE_SIM_FILE.exec(nameOrFile) ?? [];
  if (file === undefined) return undefined;
  return {
    ...parseScaleSimConfiguration(readTextChecked(file), file),
    ...(memory !== undefined && { weightMemory: weightMemoryIn(memory, nameOrFile) }),
  };
}

/** A preset, or an accelerator from a file with Bitcell's own keys. */
function loadOwn(nameOrFile: string): Accelerator {
  if (EXTENSIONS.includes(extname(nameOrFile))) {
    return parseAccelerator(readTextChecked(nameOrFile), nameOrFile);
  }
  const preset = ACCELERATOR_PRESETS.find(({ name }) => name === nameOrFile);
  if (preset === undefined) {
    const names = ACCELERATOR_PRESETS.map(({ name }) => name);
    throw new InputError(
      `Unknown accelerator "${nameOrFile}"${didYouMean(nameOrFile, names)}: give one of ${names.join(', ')} or a .yaml, .json or SCALE-Sim .cfg file.`,
    );
  }
  return preset;
}

/** The weight memory behind the name of a configuration. */
function weightMemoryIn(text: string, nameOrFile: string): Accelerator['weightMemory'] {
  if (text === 'fits-network') return text;
  const sizes = /^(\d+)[x×](\d+)[x×](\d+)(?:[x×](\d+))?$/.exec(text);
  if (sizes === null) {
    throw new InputError(
      `${nameOrFile}: "${excerpt(text)}" is no weight memory, expected BANKSxROWSxWORDBITS, BANKSxROWSxWORDBITSxCOLUMNMUX such as 4x1024x64x4, or fits-network.`,
    );
  }
  const [banks, rows, wordBits, columnMux] = [...sizes.slice(1, 4), sizes[4] ?? '1'].map(Number);
  try {
    return defineWeightMemory({ banks, rows, wordBits, columnMux });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${nameOrFile}: ${error.message}`, { cause: error });
  }
}
