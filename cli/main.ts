#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import {
  BitcellError,
  EXIT,
  packageRoot,
  parseJson,
  visibleLines,
  visibleMessage,
} from '../core/index.js';
import { applySwitches } from './environment.js';
import { outliveReaders } from './output.js';

const program = new Command('bitcell')
  .version(version())
  .description('What broken weight-memory cells do to a neural network on an accelerator')
  .addHelpText(
    'after',
    '\nExit status: 0 ok, 1 failed, 2 wrong input, 3 mismatch, 130 interrupted.',
  );

/** Each command is loaded only when it is asked for: what some of them import takes longer than others run. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.js')).runCommand(),
  results: async () => (await import('./commands/results.js')).resultsCommand(),
  infer: async () => (await import('./commands/infer.js')).inferCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  timing: async () => (await import('./commands/timing/index.js')).timingCommand(),
  map: async () => (await import('./commands/map/index.js')).mapCommand(),
  profile: async () => (await import('./commands/profile.js')).profileCommand(),
  tune: async () => (await import('./commands/tune.js')).tuneCommand(),
  sweep: async () => (await import('./commands/sweep.js')).sweepCommand(),
  quantize: async () => (await import('./commands/quantize.js')).quantizeCommand(),
  export: async () => (await import('./commands/export.js')).exportCommand(),
  data: async () => (await import('./commands/data.js')).dataCommand(),
};

const [first = ''] = process.argv.slice(2);
const wanted = Object.hasOwn(COMMANDS, first) ? [COMMANDS[first]] : Object.values(COMMANDS);
for (const load of wanted) program.addCommand(await load());

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
    outputError: (text, write) =>
      write(
        text
          .replace(/^error: /, 'bitcell: ')
          .split('\n')
          .map(visibleMessage)
          .join('\n'),
      ),
  });
  for (const child of command.commands) reportErrors(child);
}

reportErrors(program);
outliveReaders();
try {
  applySwitches(program);
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitStatus(error);
}

function exitStatus(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.input;
  if (error instanceof BitcellError) {
    process.stderr.write(`bitcell: ${visibleMessage(error.message)}\n`);
    return error.exitStatus;
  }
  process.stderr.write(
    visibleLines(`bitcell: unexpected error: ${error instanceof Error ? error.stack : error}\n`),
  );
  return EXIT.failed;
}
