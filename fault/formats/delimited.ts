import { type ByteSource, InputError } from '../../core/index.js';
import { type Column, columnsOf, conditionOf, kindNamed, roleOf } from './columns.js';
import {
  createFieldSplitter,
  type Fields,
  fieldText,
  type Separator,
  separatorOf,
} from './fields.js';
import { firstInk, forEachLine, isComment, textOf } from './lines.js';
import { createCommentCollector } from './notes.js';
import type { Table } from './table.js';
import { isNumeric } from './whole-number.js';

/** A line with a record. */
interface RecordLine {
  readonly text: string;
  readonly number: number;
}

const SECTION = /^\W*bank\s*[:=#]?\s*(\d+)\W*$/i;

/** The bank whose lines follow a line such as `[bank 0]`; undefined for other lines. */
export function sectionOf(record: string): number | undefined {
  const match = SECTION.exec(record);
  return match === null ? undefined : Number(match[1]);
}

/** The first line that is neither blank, a comment nor the head of a section. */
export function firstRecord(source: ByteSource): RecordLine | undefined {
  return firstRecords(source, 1)[0];
}

/** The first such lines, at most so many. */
export function firstRecords(source: ByteSource, most: number): readonly RecordLine[] {
  const found: RecordLine[] = [];
  forEachLine(source, (bytes, start, end, number) => {
    const ink = firstInk(bytes, start, end);
    if (ink === end || isComment(bytes, ink)) return false;
    const text = textOf(bytes, start, end);
    if (sectionOf(text) !== undefined) return false;
    found.push({ text, number });
    return found.length === most;
  });
  return found;
}

const encoder = new TextEncoder();

/** The fields of a line by themselves, and where each stands. */
export function splitLine(
  { text, number }: RecordLine,
  file: string,
  separator: Separator,
): { readonly names: readonly string[]; readonly place: (index?: number) => string } {
  const bytes = encoder.encode(text);
  const fields = createFieldSplitter(file, separator).split(bytes, 0, bytes.length, number);
  const names = Array.from({ length: fields.count }, (_, field) => fieldText(fields, field));
  if (names.length > 1 && names.at(-1) === '') names.pop();
  return { names, place: fields.place };
}

/** Whether fields are names of columns, of which one at least is known. */
export function isHead(names: readonly string[]): boolean {
  return (
    names.length > 1 &&
    !names.some((name) => isNumeric(name) && name !== '') &&
    names.some((name) => roleOf(name) !== undefined || conditionOf(name) !== undefined)
  );
}

/** Whether fields are words, none of which a line of faults could have. */
function areWords(names: readonly string[]): boolean {
  return names.every((name) => !/^[+-]?[.\d]/.test(name) && kindNamed(name) === undefined);
}

/**
 * A table by the names in its first line.
 *
 * @throws InputError when they do not say where faults lie
 */
export function headedTable(source: ByteSource, given: readonly string[] | undefined): Table {
  const { file } = source;
  const head = firstRecord(source);
  if (head === undefined) {
    throw new InputError(
      `${file}:1:1: found nothing; expected the names of the columns, such as bank,row,column,kind.`,
    );
  }
  const separator = separatorOf(head.text);
  const { names, place } = splitLine(head, file, separator);
  if (given !== undefined) {
    throw new InputError(
      `${file}:${head.number}:1: the table names its columns itself; leave --columns away, or change the names in the file.`,
    );
  }
  return delimitedTable(source, { columns: columnsOf(names, place), separator, head });
}

/** A table whose columns are named from outside; a first line of other words is none of its records. */
export function namedTable(source: ByteSource, names: readonly string[]): Table {
  const first = firstRecord(source);
  const separator = separatorOf(first?.text ?? ',');
  const isWords = first !== undefined && areWords(splitLine(first, source.file, separator).names);
  const place = () => `${source.file}: --columns`;
  return delimitedTable(source, {
    columns: columnsOf(names, place),
    separator,
    head: isWords ? first : undefined,
  });
}

/** The lines of a table that hold faults. */
function delimitedTable(
  source: ByteSource,
  {
    columns,
    separator,
    head,
  }: {
    readonly columns: readonly Column[];
    readonly separator: Separator;
    readonly head: RecordLine | undefined;
  },
): Table {
  const { file } = source;
  const hasAddresses = columns.some(({ role }) => role === 'address');
  const hasBanks = columns.some(({ role }) => role === 'bank');
  let comments = createCommentCollector();

  function forEachRecord(visit: (fields: Fields, bank: number | undefined) => void): void {
    const splitter = createFieldSplitter(file, separator);
    comments = createCommentCollector();
    let bank: number | undefined;
    forEachLine(source, (bytes, start, end, number) => {
      const ink = firstInk(bytes, start, end);
      if (ink === end || number === head?.number) return false;
      if (isComment(bytes, ink)) {
        if (hasAddresses && !hasBanks) requireNoBank(bytes, ink, end, number);
        comments.add(bytes, ink, end);
        return false;
      }
      if (!isDigit(bytes[ink])) {
        const text = textOf(bytes, start, end);
        if (text === head?.text) return false;
        const section = sectionOf(text);
        if (section !== undefined && !hasBanks) {
          bank = section;
          return false;
        }
      }
      visit(splitter.split(bytes, start, end, number), bank);
      return false;
    });
  }

  /** A comment that names a bank may mean that the addresses below it are of that bank, or nothing. */
  function requireNoBank(bytes: Uint8Array, start: number, end: number, number: number): void {
    const text = textOf(bytes, start, end);
    if (sectionOf(text) === undefined) return;
    throw new InputError(
      `${file}:${number}:1: the comment "${text.trim()}" names a bank, of which the addresses below it may be counted or not; write [bank 0] without the mark of a comment, add a column bank (bank,address,fail-bit-mask), or remove the comment.`,
    );
  }

  return { columns, forEachRecord, notes: () => comments.notes() };
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
