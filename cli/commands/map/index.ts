import { Command } from 'commander';
import { createCommand } from './create.js';
import { exportMapCommand } from './export.js';
import { fitCommand } from './fit.js';
import { hitsCommand } from './hits/index.js';
import { importCommand } from './import.js';
import { showCommand } from './show.js';

export function mapCommand(): Command {
  const command = new Command('map').description(
    'Fault maps: create, import, export, show, fit a model, list what they reach',
  );
  const children = [
    createCommand(),
    importCommand(),
    exportMapCommand(),
    showCommand(),
    fitCommand(),
    hitsCommand(),
  ];
  for (const child of children) command.addCommand(child);
  return command;
}
