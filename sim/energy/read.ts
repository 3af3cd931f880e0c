import { extname } from 'node:path';
import { didYouMean, InputError, parseConfiguration, readTextChecked } from '../../core/index.js';
import { energyTableSchema } from './schema.js';
import { ENERGY_TABLES, type EnergyTable } from './table.js';

const EXTENSIONS = ['.yaml', '.yml', '.json'];

/**
 * A table that comes with Bitcell by its name, or one from a file (recognised by the extension `.yaml`, `.yml` or
 * `.json`).
 *
 * @throws InputError when there is no such table, or the file is missing or not a valid table
 */
export function loadEnergyTable(nameOrFile: string): EnergyTable {
  if (EXTENSIONS.includes(extname(nameOrFile))) {
    return parseEnergyTable(readTextChecked(nameOrFile), nameOrFile);
  }
  const table = ENERGY_TABLES.find(({ name }) => name === nameOrFile);
  if (table !== undefined) return table;
  const names = ENERGY_TABLES.map(({ name }) => name);
  throw new InputError(
    `Unknown energy table "${nameOrFile}"${didYouMean(nameOrFile, names)}: give ${names.join(', ')} or a .yaml or .json file.`,
  );
}

/**
 * An energy table from YAML (or JSON, which is YAML); docs/energy.md describes the keys.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column and key
 */
export function parseEnergyTable(text: string, file: string): EnergyTable {
  return parseConfiguration(energyTableSchema, text, file);
}
