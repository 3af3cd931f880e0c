import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The exit status of a command that was interrupted and saved what it had. */
export const INTERRUPTED = 130;

/** The environment without options of Bitcell, which a record would not show; where the images lie is none. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !name.startsWith('BITCELL_') || name === 'BITCELL_DATA',
  ),
);

/**
 * Run a command of Bitcell to its end. Its progress is shown, its result returned. The command has a process group of
 * its own, so that a Ctrl-C reaches it once: passed on by this process.
 *
 * @param {readonly string[]} args
 * @returns {Promise<{ status: number, stdout: string }>}
 */
export function bitcell(args) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: ENVIRONMENT,
    detached: true,
  });
  const interrupt = () => child.kill('SIGINT');
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // A process that a signal ended has no code.
    child.on('close', (code) => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      const status = code ?? INTERRUPTED;
      resolve({ status, stdout: Buffer.concat(chunks).toString() });
    });
  });
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<string>} what it prints
 * @throws {Error} when it fails
 */
export async function bitcellOutput(args) {
  const { status, stdout } = await bitcell(args);
  if (status !== 0) throw new Error(`bitcell ${args.join(' ')} ended with status ${status}`);
  return stdout;
}
