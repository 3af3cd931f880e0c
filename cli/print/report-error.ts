import {
  BitcellError,
  codeOf,
  EXIT,
  type ExitStatus,
  fileError,
  isOutOfMemory,
  visibleLines,
  visibleMessage,
} from '../../core/index.js';

/**
 * Say in one sentence on stderr what ended the command, and return its exit status. The stack of calls follows where
 * the environment variable BITCELL_STACK is 1.
 */
export function reportError(error: unknown): ExitStatus {
  const { message, exitStatus } = described(error);
  process.stderr.write(`bitcell: ${visibleMessage(message)}\n`);
  if (process.env.BITCELL_STACK === '1' && error instanceof Error) {
    process.stderr.write(visibleLines(`${error.stack}\n`));
  }
  return exitStatus;
}

function described(error: unknown): Pick<BitcellError, 'message' | 'exitStatus'> {
  if (error instanceof BitcellError) return error;
  if (isOutOfMemory(error)) {
    const message = `This needs more memory than there is (${messageOf(error)})`;
    return { message, exitStatus: EXIT.failed };
  }
  if (!(error instanceof Error && 'syscall' in error)) {
    const message = `unexpected error: ${error instanceof Error ? error.name : typeof error}: ${messageOf(error)}; this is a fault of Bitcell: please report it with what BITCELL_STACK=1 prints`;
    return { message, exitStatus: EXIT.failed };
  }
  if (error.syscall === 'uv_cwd') {
    return fileError('The working folder does not exist any more: change to another', error);
  }
  if (codeOf(error) === 'EMFILE') {
    return fileError('Too many open files: allow more with `ulimit -n 1024`', error);
  }
  return fileError(error.message, error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
