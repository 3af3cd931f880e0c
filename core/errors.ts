/** Exit statuses of the command line, as documented in the README. */
export const EXIT = {
  ok: 0,
  failed: 1,
  input: 2,
  mismatch: 3,
  missingShards: 4,
  interrupted: 130,
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
