import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { newFolder } from '../folders.js';

/** The built command line; `npm test` builds it first. */
const MAIN = join(packageRoot(), 'dist', 'cli', 'main.js');

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Working directory; default: a new, empty one. */
  readonly cwd?: string;
  /** Environment variables besides those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the running process. */
  readonly onStart?: (child: ChildProcess) => void;
}

export { newFolder };

/** Run a Bitcell command to its end. */
export function bitcell(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return execute(process.execPath, [MAIN, ...args], options);
}

/** Run a script of bash in which `bitcell` is the command, to its end. */
export function shell(script: string, options?: CommandOptions): Promise<CommandResult> {
  const bitcell = `bitcell() { '${process.execPath}' '${MAIN}' "$@"; }`;
  return execute('bash', ['-c', `${bitcell}\n${script}`], options);
}

function execute(
  program: string,
  args: readonly string[],
  { cwd = newFolder(), env = {}, onStart }: CommandOptions = {},
): Promise<CommandResult> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BITCELL_'));
  const child = spawn(program, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  });
  onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout: stdout(), stderr: stderr() }));
  });
}

/**
 * Run a command with `--json --quiet`, check that it succeeds and prints one object and nothing else,
 * and return the object without its schema version.
 */
export async function bitcellJson(
  args: readonly string[],
  options?: CommandOptions,
): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await bitcell([...args, '--json', '--quiet'], options);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.indexOf('\n')).toBe(stdout.length - 1);
  const { schemaVersion, ...result } = JSON.parse(stdout);
  expect(schemaVersion).toBe(1);
  return result;
}

/**
 * Run a command whose input is wrong, in a folder that it must leave empty: exit status 2, nothing on stdout.
 * Returns the one sentence on stderr.
 */
export async function refusal(
  args: readonly string[],
  options: Pick<CommandOptions, 'env'> = {},
): Promise<string> {
  const cwd = newFolder();
  const { status, stdout, stderr } = await bitcell(args, { ...options, cwd });
  expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: '' });
  expect(readdirSync(cwd)).toEqual([]);
  const [, sentence] = REFUSAL.exec(stderr) ?? [];
  expect(sentence, stderr).toBeDefined();
  return sentence;
}

/** After wrong options the command line may suggest another one, and points to the help. */
const REFUSAL = /^bitcell: (.+)\n(?:\(Did you mean .+\)\n)?(?:\(--help shows the options\)\n)?$/;

/** Send a process a signal as soon as a file exists. */
export function signalOnce(child: ChildProcess, file: string, signal: NodeJS.Signals): void {
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    child.kill(signal);
  }, 5);
  child.on('close', () => clearInterval(timer));
}
