import { excerpt, InputError } from '../../core/index.js';

/** A value as it stands in a file. */
export interface IniValue {
  readonly text: string;
  /** `file:line:column`, for messages. */
  readonly place: string;
}

/** A key as it is written, and its value. */
export interface IniEntry extends IniValue {
  readonly key: string;
  readonly keyPlace: string;
}

/** Entries by section and key, both in lower case. */
export type IniSections = ReadonlyMap<string, ReadonlyMap<string, IniEntry>>;

/**
 * INI as Python's configparser reads it: `[section]`, `key = value` or `key: value`, lines of `#` and `;` comments.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column, value and what was expected
 */
export function parseIni(text: string, file: string): IniSections {
  const sections = new Map<string, Map<string, IniEntry>>();
  let current: Map<string, IniEntry> | undefined;
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;
    const place = (column: number) => `${file}:${index + 1}:${column + 1}`;
    const start = line.indexOf(content);
    const section = /^\[([^\]]+)\]$/.exec(content);
    if (section !== null) {
      const name = section[1].trim().toLowerCase();
      if (sections.has(name)) {
        throw new InputError(
          `${place(start)}: expected each section once, found "${excerpt(content)}" again.`,
        );
      }
      current = new Map();
      sections.set(name, current);
      continue;
    }
    const separator = content.search(/[=:]/);
    if (separator < 1) {
      throw new InputError(
        `${place(start)}: "${excerpt(content)}", expected [section], key = value or key: value.`,
      );
    }
    if (current === undefined) {
      throw new InputError(
        `${place(start)}: "${excerpt(content)}", expected a [section] before it.`,
      );
    }
    const key = content.slice(0, separator).trim();
    if (current.has(key.toLowerCase())) {
      throw new InputError(
        `${place(start)}: expected each key once, found "${excerpt(key)}" again.`,
      );
    }
    const value = content.slice(separator + 1);
    const blanks = value.length - value.trimStart().length;
    current.set(key.toLowerCase(), {
      key,
      keyPlace: place(start),
      text: value.trim(),
      place: place(start + separator + 1 + blanks),
    });
  }
  return sections;
}
