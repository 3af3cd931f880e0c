import { type Command, InvalidArgumentError } from 'commander';
import { InputError, parseBytes, setMemoryLimit } from '../../core/index.js';
import { option } from './options.js';

/** Less is not enough for Node.js itself. */
const LEAST_BYTES = 256e6;

/** The option of every command that reads networks or other files whose content may be far larger than they are. */
export function addMemoryLimit(command: Command): Command {
  return command
    .addOption(
      option(
        '--memory-limit <size>',
        'most memory to take, such as 4GB (default: 1 GB + 16 × the input files, at most half of the memory)',
      ).argParser(size),
    )
    .hook('preAction', (_, action) => setMemoryLimit(action.opts().memoryLimit));
}

function size(text: string): number {
  try {
    const bytes = parseBytes(text);
    if (bytes >= LEAST_BYTES) return bytes;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
  throw new InvalidArgumentError(`Expected at least ${LEAST_BYTES / 1e6}MB.`);
}
