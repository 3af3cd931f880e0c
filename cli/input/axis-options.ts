import type { Option } from 'commander';
import type { OptionValues, ValuesOption } from '../../campaign/index.js';
import { countList, list, option, rateList, voltageList } from './options.js';

type ListParser = (text: string) => readonly (string | number)[];

/** Where commands take the same text for different values. */
export interface OwnParsers {
  /** Names that may have a comma in them. */
  files(text: string, before?: readonly string[]): readonly string[];
  mitigations: ListParser;
}

const PARSERS: Readonly<Record<Exclude<OptionValues, keyof OwnParsers>, ListParser>> = {
  names: list,
  rates: rateList,
  voltages: voltageList,
  counts: countList,
};

/** The option that gives values of an axis. */
export function axisOption(
  { flag, argument, description, values }: ValuesOption,
  own: OwnParsers,
): Option {
  const created = option(`${flag} ${argument}`, description);
  if (values === 'files') return created.argParser(own.files);
  return created.argParser(values === 'mitigations' ? own.mitigations : PARSERS[values]);
}
