import { type Document, visit } from 'yaml';

/** A number that is not written in decimal digits. */
export interface WrongNumber {
  /** Where it begins in the text. */
  readonly offset: number;
  readonly problem: string;
}

/**
 * The first number of a YAML document that is hexadecimal (`0x10`), octal (`0o7`) or not finite (`.inf`, `1e999`):
 * YAML reads them, but numbers of Bitcell are decimal everywhere.
 */
export function wrongYamlNumber(document: Document): WrongNumber | undefined {
  let found: WrongNumber | undefined;
  visit(document, {
    Scalar(_, { value, format, source, range }) {
      if (typeof value !== 'number') return undefined;
      const isDecimal = format !== 'HEX' && format !== 'OCT' && Number.isFinite(value);
      if (isDecimal) return undefined;
      const problem = `found ${source ?? value}; expected a finite number in decimal digits`;
      found = { offset: range?.[0] ?? 0, problem };
      return visit.BREAK;
    },
  });
  return found;
}
