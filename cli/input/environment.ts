import type { Command } from 'commander';
import { InputError } from '../../core/index.js';

const ON = ['true', '1', 'yes'];
const OFF = ['false', '0', 'no', ''];

/**
 * Take variables that switch an option off (`BITCELL_JSON=0`) out of the environment: to commander a variable that is
 * there switches its option on, whatever it says.
 *
 * @throws InputError naming a variable that says neither
 */
export function applySwitches(
  command: Command,
  environment: NodeJS.ProcessEnv = process.env,
): void {
  for (const { envVar, required, optional } of command.options) {
    const value = envVar === undefined ? undefined : environment[envVar];
    if (envVar === undefined || value === undefined || required || optional) continue;
    const word = value.trim().toLowerCase();
    if (OFF.includes(word)) delete environment[envVar];
    else if (!ON.includes(word)) {
      throw new InputError(
        `${envVar} is "${value}"; expected true, 1 or yes, or false, 0, no or nothing.`,
      );
    }
  }
  for (const child of command.commands) applySwitches(child, environment);
}
