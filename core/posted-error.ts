import {
  BitcellError,
  type ExitStatus,
  InputError,
  isOutOfMemory,
  MismatchError,
  ModelError,
} from './errors.js';

/** An error as data: posting an error itself to another thread would keep neither its class nor its exit status. */
export interface PostedError {
  readonly kind: keyof typeof KINDS | 'memory' | 'unexpected';
  readonly message: string;
  readonly exitStatus?: ExitStatus;
  readonly stack?: string | undefined;
}

const KINDS = {
  BitcellError: (message: string, exitStatus?: ExitStatus) => new BitcellError(message, exitStatus),
  InputError: (message: string) => new InputError(message),
  ModelError: (message: string) => new ModelError(message),
  MismatchError: (message: string) => new MismatchError(message),
};

/** An error as it can be posted to another thread. */
export function postedError(error: unknown): PostedError {
  if (error instanceof BitcellError) {
    const { name, message, exitStatus } = error;
    return { kind: isKind(name) ? name : 'BitcellError', message, exitStatus };
  }
  const kind = isOutOfMemory(error) ? 'memory' : 'unexpected';
  if (!(error instanceof Error)) return { kind, message: String(error) };
  return { kind, message: `${error.name}: ${error.message}`, stack: error.stack };
}

/** The error that another thread posted. */
export function errorOf({ kind, message, exitStatus, stack }: PostedError): Error {
  if (kind === 'memory') {
    return new BitcellError(
      `A worker thread needs more memory than there is (${message}): try fewer --threads`,
    );
  }
  if (kind !== 'unexpected') return KINDS[kind](message, exitStatus);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function isKind(name: string): name is keyof typeof KINDS {
  return Object.hasOwn(KINDS, name);
}
