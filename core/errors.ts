/** Exit statuses of the command line, the same for all commands. */
export const EXIT = {
  ok: 0,
  /** The machine or Bitcell itself failed: a worker thread that ended, a full disk, too little memory. */
  failed: 1,
  input: 2,
  mismatch: 3,
  /** Something that was asked for as a whole has parts that were not run yet. */
  unfinished: 4,
  /** A result is known, and does not meet what was required of it. */
  requirement: 5,
  /** Whether a result meets what was required of it cannot be said yet. */
  undecided: 6,
  /** 128 + the number of the signal, as shells report it. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Base of every error Bitcell raises on purpose: its message is one sentence for the user. */
export class BitcellError extends Error {
  readonly exitStatus: ExitStatus;

  constructor(message: string, exitStatus: ExitStatus = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.exitStatus = exitStatus;
  }
}

/** The user's input (flag, file, value) is wrong; the message names it and says what was expected. */
export class InputError extends BitcellError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.input, options);
  }
}

/** A network file is malformed or holds something unsupported; the message names node and field. */
export class ModelError extends InputError {}

/** Bitcell and onnxruntime disagree; the message names layer, channel, position and both values. */
export class MismatchError extends BitcellError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.mismatch, options);
  }
}

/** Codes of a machine that cannot go on, where another input would not help. */
const MACHINE_CODES: ReadonlySet<unknown> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EIO',
  'EPIPE',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
]);

/**
 * The error to raise when the system refuses a file: of the machine where no other path would help (a full disk), of
 * the input otherwise (no such folder, no permission).
 *
 * @param error what the system said
 */
export function fileError(message: string, error: unknown): BitcellError {
  const options = { cause: error };
  return MACHINE_CODES.has(codeOf(error))
    ? new BitcellError(message, EXIT.failed, options)
    : new InputError(message, options);
}

/** The code of an error of the system or of Node.js, such as `ENOSPC`. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** What V8 says when it cannot allocate, or when something is longer than it can hold. */
const MEMORY_MESSAGE =
  /allocation failed|could not allocate|Invalid (?:array buffer|string|array) length|Invalid typed array length: \d{10}|(?:Map|Set) maximum size exceeded/;

const MEMORY_CODES: ReadonlySet<unknown> = new Set([
  'ERR_STRING_TOO_LONG',
  'ERR_WORKER_OUT_OF_MEMORY',
  'ERR_MEMORY_ALLOCATION_FAILED',
]);

/** Whether an error of Node.js means that something takes more memory than there is. */
export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (MEMORY_CODES.has(codeOf(error))) return true;
  return error instanceof RangeError && MEMORY_MESSAGE.test(error.message);
}
