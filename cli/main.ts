#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { BitcellError, EXIT, packageRoot, parseJson } from '../core/index.js';
import { dataCommand } from './commands/data.js';
import { exportCommand } from './commands/export.js';
import { inferCommand } from './commands/infer.js';
import { mapCommand } from './commands/map/index.js';
import { profileCommand } from './commands/profile.js';
import { quantizeCommand } from './commands/quantize.js';
import { resultsCommand } from './commands/results.js';
import { runCommand } from './commands/run.js';
import { timingCommand } from './commands/timing.js';
import { tuneCommand } from './commands/tune.js';
import { verifyCommand } from './commands/verify.js';

const program = new Command('bitcell')
  .version(version())
  .description('What broken weight-memory cells do to a neural network on an accelerator')
  .addHelpText(
    'after',
    '\nExit status: 0 ok, 1 failed, 2 wrong input, 3 mismatch, 130 interrupted.',
  );

for (const command of [
  runCommand(),
  resultsCommand(),
  inferCommand(),
  verifyCommand(),
  timingCommand(),
  mapCommand(),
  profileCommand(),
  tuneCommand(),
  quantizeCommand(),
  exportCommand(),
  dataCommand(),
]) {
  program.addCommand(command);
}

function version(): string {
  const file = join(packageRoot(), 'package.json');
  const { version: found } = parseJson(readFileSync(file, 'utf8'), file) as { version: string };
  return found;
}

/** Commands inherit nothing when added, so each of them is told to report errors as Bitcell's own. */
function reportErrors(command: Command): void {
  command.exitOverride();
  command.showHelpAfterError('(--help shows the options)');
  command.configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, 'bitcell: ')),
  });
  for (const child of command.commands) reportErrors(child);
}

reportErrors(program);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitStatus(error);
}

function exitStatus(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.input;
  if (error instanceof BitcellError) {
    process.stderr.write(`bitcell: ${error.message}\n`);
    return error.exitStatus;
  }
  process.stderr.write(
    `bitcell: unexpected error: ${error instanceof Error ? error.stack : error}\n`,
  );
  return EXIT.failed;
}
