import { isatty } from 'node:tty';
import { BitcellError, EXIT, shellWord } from '../core/index.js';

/** What each signal that asks a process to end means to a command. */
const SIGNALS = {
  SIGINT: { status: EXIT.interrupted, ended: 'interrupted', again: 'Ctrl-C again' },
  SIGTERM: { status: EXIT.terminated, ended: 'terminated', again: 'a second signal' },
  SIGHUP: { status: EXIT.hungUp, ended: 'hung up', again: 'a second signal' },
} as const;

type SignalName = keyof typeof SIGNALS;

/** A command's answer to Ctrl-C, SIGTERM and SIGHUP. */
export interface Interruption {
  /** Aborts at the first of them. */
  readonly signal: AbortSignal;
  /** Say that the command was interrupted, and how to continue what it saved; sets the exit status. */
  report(out: string | undefined): void;
  dispose(): void;
}

/**
 * The first signal lets what runs finish and be saved, the second ends the process.
 *
 * @param what what is finished, in the plural
 */
export function interruptible(what: string): Interruption {
  const controller = new AbortController();
  let first: SignalName = 'SIGINT';
  const onTerminal = [0, 1, 2].some((fd) => isatty(fd));
  const exitAs = (name: SignalName) => {
    process.exitCode = SIGNALS[name].status;
    if (name !== 'SIGHUP' || !onTerminal) return;
    // Node.js aborts when it cannot reset a terminal that is gone, so the signal itself ends the process.
    process.once('exit', () => {
      dispose();
      process.kill(process.pid, name);
    });
  };
  const onSignal = (name: SignalName) => {
    const { again } = SIGNALS[name];
    if (controller.signal.aborted) {
      exitAs(name);
      process.exit();
    }
    process.stderr.write(`\nfinishing the running ${what}; ${again} stops at once\n`);
    first = name;
    controller.abort();
  };
  const names = Object.keys(SIGNALS) as SignalName[];
  for (const name of names) process.on(name, onSignal);
  const dispose = () => {
    for (const name of names) process.off(name, onSignal);
  };
  return {
    signal: controller.signal,
    dispose,
    report(out) {
      const { ended } = SIGNALS[first];
      process.stderr.write(
        out === undefined ? `${ended}\n` : `${ended}: continue with ${continuation(out)}\n`,
      );
      exitAs(first);
    },
  };
}

/** Say that a worker thread was replaced: the result is the same, but the machine may be short of memory. */
export function reportRestart(message: string): void {
  process.stderr.write(`\n${message}\n`);
}

/** What ended a command that saves what it finds out; a failure that need not come again says how to continue. */
export function resumable(error: unknown, out: string | undefined): unknown {
  if (out === undefined || !(error instanceof BitcellError)) return error;
  // The store's own errors say so already.
  if (error.exitStatus !== EXIT.failed || error.message.includes('--resume')) return error;
  return new BitcellError(
    `${error.message}; what was saved is kept: continue with ${continuation(out)}`,
    EXIT.failed,
    { cause: error },
  );
}

function continuation(out: string): string {
  return `--out ${shellWord(out)} --resume`;
}
