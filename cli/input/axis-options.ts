import type { Option } from 'commander';
import type { OptionValues, ValuesOption } from '../../campaign/index.js';
import { countList, list, option, rateList, voltageList } from './options.js';

type ListParser = (text: string) => readonly (string | number)[];

const PARSERS: Readonly<Record<Exclude<OptionValues, 'files'>, ListParser>> = {
  names: list,
  rates: rateList,
  voltages: voltageList,
  counts: countList,
};

/**
 * The option that gives values of an axis.
 *
 * @param files takes names that may have a comma in them
 */
export function axisOption(
  { flag, argument, description, values }: ValuesOption,
  files: (text: string, before?: readonly string[]) => readonly string[],
): Option {
  const created = option(`${flag} ${argument}`, description);
  return values === 'files' ? created.argParser(files) : created.argParser(PARSERS[values]);
}
