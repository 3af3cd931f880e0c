import { EXIT } from '../core/index.js';

/** A command's answer to Ctrl-C. */
export interface Interruption {
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * The first Ctrl-C lets what runs finish and be saved, the second ends the process.
 *
 * @param what what is finished, in the plural
 */
export function interruptible(what: string): Interruption {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write(`\nfinishing the running ${what}; Ctrl-C again stops at once\n`);
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onInterrupt);
    },
  };
}

/** Say that the command was interrupted, and how to continue what it saved. */
export function reportInterruption(out: string | undefined): void {
  process.stderr.write(
    out === undefined ? 'interrupted\n' : `interrupted: continue with --out ${out} --resume\n`,
  );
  process.exitCode = EXIT.interrupted;
}
