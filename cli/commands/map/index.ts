import { Command } from 'commander';

/** As the commands of the program, each is loaded only when it is asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  create: async () => (await import('./create.js')).createCommand(),
  import: async () => (await import('./import.js')).importCommand(),
  export: async () => (await import('./export.js')).exportMapCommand(),
  show: async () => (await import('./show.js')).showCommand(),
  fit: async () => (await import('./fit.js')).fitCommand(),
  hits: async () => (await import('./hits/index.js')).hitsCommand(),
};

/** @param wanted the one that is asked for; else all are loaded */
export async function mapCommand(wanted: string): Promise<Command> {
  const command = new Command('map').description(
    'Fault maps: create, import, export, show, fit a model, list what they reach',
  );
  const loaded = Object.hasOwn(COMMANDS, wanted) ? [COMMANDS[wanted]] : Object.values(COMMANDS);
  for (const load of loaded) command.addCommand(await load());
  return command;
}
