import { FAULT_KINDS } from '../fault-kind.js';
import { type FaultMap, storageOfMap } from '../fault-map.js';
import { cellAt } from '../geometry.js';
import { roleOf } from './columns.js';
import { headedTable, isHead, sectionOf, splitLine } from './delimited.js';
import type { FaultFormat, Prefix } from './fault-format.js';
import { separatorOf } from './fields.js';
import { requireRoomForText } from './place.js';
import { readTable } from './table.js';

/** The names in the first line of a file; nothing when it has none. */
export function headNames({ records }: Prefix): readonly string[] {
  const first = records.find((record) => sectionOf(record) === undefined);
  if (first === undefined || first.includes('=')) return [];
  try {
    const { names } = splitLine({ text: first, number: 1 }, '', separatorOf(first));
    return isHead(names) ? names : [];
  } catch {
    return [];
  }
}

/**
 * A table of faults with the names of its columns in the first line, in any order: row, column, and perhaps bank
 * and kind; other columns are labels. Blank lines and comments are skipped; a fault may be listed again.
 */
export const csv: FaultFormat = {
  title: 'a CSV table',
  takes: ['kind', 'columns', 'indexBase', 'addressBase', 'maskBase', 'select'],
  recognises(prefix) {
    const names = headNames(prefix);
    if (names.length === 0) return 'no';
    return names.some((name) => roleOf(name) === 'address') ? 'no' : 'certain';
  },
  read: (source, options) =>
    readTable(headedTable(source, options.columns), source, options, 'a CSV table'),
};

/** Writes a map as a CSV table, ascending, with what its memory holds, if it says so; the rest is not in it. */
export function formatCsv(map: FaultMap): string {
  requireRoomForText(map.cells.length, 'CSV');
  const storage = storageOfMap(map);
  const [head, start] = storage === undefined ? ['', ''] : ['storage,', `${storage},`];
  const rows = Array.from(map.cells, (index, fault) => {
    const { bank, row, column } = cellAt(map.geometry, index);
    return `${start}${bank},${row},${column},${FAULT_KINDS[map.kinds[fault]]}\n`;
  });
  return `${head}bank,row,column,kind\n${rows.join('')}`;
}
