import { excerpt, InputError } from '../../core/index.js';
import { kindNamed } from './columns.js';
import { firstRecord, namedTable, splitLine } from './delimited.js';
import type { FaultFormat } from './fault-format.js';
import { separatorOf } from './fields.js';
import { readTable } from './table.js';
import { isNumeric } from './whole-number.js';

const TITLE = 'a table without names of its columns';

/** So many columns a table of faults has at most that nobody named. */
const MOST_COLUMNS = 12;

/** So many columns of zeros and ones alone may be cells of faults. */
const MOST_BIT_COLUMNS = 4;

function isField(text: string): boolean {
  return (isNumeric(text) && !/^(?:nan|inf|na)$/i.test(text)) || kindNamed(text) !== undefined;
}

/** Whether a number is whole, or may be part of a label. */
function isWhole(text: string): boolean {
  return kindNamed(text) !== undefined || Number.isInteger(Number(text));
}

/**
 * Lines of numbers, of which the options name the columns. Without names it cannot be read, and says so.
 */
export const list: FaultFormat = {
  title: TITLE,
  takes: ['kind', 'columns', 'indexBase', 'addressBase', 'maskBase', 'select'],
  recognises({ records, isCut }, { columns }) {
    if (records.length === 0) return 'no';
    if (columns !== undefined) return 'possible';
    const whole = isCut && records.length > 1 ? records.slice(0, -1) : records;
    const separator = separatorOf(records[0]);
    const rows = whole.map((text) => {
      try {
        return splitLine({ text, number: 1 }, '', separator).names;
      } catch {
        return [];
      }
    });
    const count = rows[0].length;
    if (count < 2 || count > MOST_COLUMNS) return 'no';
    if (!rows.every((row) => row.length === count && row.every(isField))) return 'no';
    if (!rows.every((row) => row.every(isWhole))) return 'no';
    const areBits = rows.every((row) =>
      row.every((text) => Number(text) === 0 || Number(text) === 1),
    );
    if (areBits && count > MOST_BIT_COLUMNS) return 'no';
    // Two columns with 0x are addresses and masks.
    return count === 2 && rows.some((row) => row.some((text) => /x/i.test(text)))
      ? 'no'
      : 'possible';
  },
  read(source, options) {
    const { columns } = options;
    if (columns === undefined) {
      const first = firstRecord(source);
      const found = first ? excerpt(first.text.trim()) : 'nothing';
      const count = first ? splitLine(first, source.file, separatorOf(first.text)).names.length : 0;
      const example = count === 2 ? 'row,column' : 'bank,row,column';
      throw new InputError(
        `${source.file}:${first?.number ?? 1}:1: found "${found}", ${count} values without names of their columns; name them, such as --columns ${example} (- for a column without a meaning).`,
      );
    }
    return readTable(namedTable(source, columns), source, options, TITLE);
  },
};
