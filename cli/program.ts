import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { EXIT, packageRoot, parseJson, visibleMessage } from '../core/index.js';
import { applySwitches } from './input/environment.js';
import { outliveReaders, printText } from './print/output.js';
import { reportError } from './print/report-error.js';

const EXIT_STATUSES = `
Exit status: 0 ok; 1 failed (a full disk, too little memory, a worker thread that ended); 2 wrong input;
3 mismatch; 4 unfinished; 5 requirement failed; 6 undecided; 129, 130, 143 ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM.`;

/** By the first word of the arguments, and with the second: each command is loaded only when it is asked for: what some of them import takes longer than others run. */
const COMMANDS: Readonly<Record<string, (second: string) => Promise<Command>>> = {
  run: async () => (await import('./commands/run/index.js')).runCommand(),
  results: async () => (await import('./commands/results/index.js')).resultsCommand(),
  cheapest: async () => (await import('./commands/cheapest/index.js')).cheapestCommand(),
  infer: async () => (await import('./commands/infer.js')).inferCommand(),
  info: async () => (await import('./commands/info.js')).infoCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  timing: async () => (await import('./commands/timing/index.js')).timingCommand(),
  map: async (second) => (await import('./commands/map/index.js')).mapCommand(second),
  mitigations: async () => (await import('./commands/mitigations.js')).mitigationsCommand(),
  profile: async () => (await import('./commands/profile.js')).profileCommand(),
  tune: async () => (await import('./commands/tune.js')).tuneCommand(),
  sweep: async () => (await import('./commands/sweep.js')).sweepCommand(),
  quantize: async () => (await import('./commands/quantize.js')).quantizeCommand(),
  export: async () => (await import('./commands/export.js')).exportCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
  data: async () => (await import('./commands/data.js')).dataCommand(),
};

/** Run the command of the process's arguments, and set its exit status. */
export async function runProgram(): Promise<void> {
  outliveReaders();
  process.on('uncaughtException', (error) => process.exit(reportError(error)));
  const onIdle = () => {
    process.exitCode = reportError(new Error('nothing was left to do before the end'));
  };
  process.once('beforeExit', onIdle);
  try {
    const program = await createProgram();
    applySwitches(program);
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitStatus(error);
  }
  process.off('beforeExit', onIdle);
}

async function createProgram(): Promise<Command> {
  const program = new Command('bitcell')
    .version(version())
    .description('What broken weight-memory cells do to a neural network on an accelerator')
    .addHelpText('afterAll', EXIT_STATUSES);
  const [first = '', second = ''] = process.argv.slice(2);
  const wanted = Object.hasOwn(COMMANDS, first) ? [COMMANDS[first]] : Object.values(COMMANDS);
  for (const load of wanted) program.addCommand(await load(second));
  printAsBitcell(program);
  return program;
}

function version(): string {
  const file = join(packageRoot(), 'package.json');
  const { version: found } = parseJson(readFileSync(file, 'utf8'), file) as { version: string };
  return found;
}

/** Commands inherit nothing when added, so each of them is told to print and to report errors as Bitcell does. */
function printAsBitcell(command: Command): void {
  command.exitOverride();
  command.showHelpAfterError('(--help shows the options)');
  command.configureOutput({
    writeOut: printText,
    outputError: (text, write) => {
      const lines = text.replace(/^error: /, 'bitcell: ').split('\n');
      write(lines.map(visibleMessage).join('\n'));
    },
  });
  for (const child of command.commands) printAsBitcell(child);
}

function exitStatus(error: unknown): number {
  if (!(error instanceof CommanderError)) return reportError(error);
  return error.exitCode === 0 ? EXIT.ok : EXIT.input;
}
