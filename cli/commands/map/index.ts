import { Command } from 'commander';
import { createCommand } from './create.js';
import { hitsCommand } from './hits.js';
import { showCommand } from './show.js';

export function mapCommand(): Command {
  const command = new Command('map').description('Fault maps: create, show, list what they reach');
  for (const child of [createCommand(), showCommand(), hitsCommand()]) command.addCommand(child);
  return command;
}
