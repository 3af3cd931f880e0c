import { didYouMean, excerpt } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { cellAt, cellIndex } from '../geometry.js';
import { createFaultLog } from './fault-log.js';
import {
  errorAt,
  type Field,
  fieldsOf,
  recordLines,
  requireRoomForText,
  type TextLine,
  unexpected,
} from './place.js';
import type { ReadFaultFile } from './read-result.js';
import { type FaultFileOptions, requireGivenGeometry } from './words.js';

const COLUMNS = ['bank', 'row', 'column', 'kind'] as const;
const KIND_NAMES: readonly string[] = FAULT_KINDS;
type Column = (typeof COLUMNS)[number];

/** The position of each column of the table, by the names of its first line, in any order. */
function readHead(head: TextLine | undefined, file: string): Record<Column, number> {
  const expected = `the columns ${COLUMNS.join(',')}`;
  if (head === undefined) throw unexpected(file, 1, 1, '', expected);
  const fields = fieldsOf(head.text);
  const positions: Partial<Record<Column, number>> = {};
  fields.forEach(({ text, column }, position) => {
    const name = COLUMNS.find((candidate) => candidate === text);
    if (name === undefined) {
      throw errorAt(
        file,
        head.number,
        column,
        `unknown column "${excerpt(text)}"${didYouMean(text, COLUMNS)}; expected ${expected}`,
      );
    }
    if (positions[name] !== undefined) {
      throw errorAt(file, head.number, column, `column "${name}" a second time; expected it once`);
    }
    positions[name] = position;
  });
  const { bank, row, column, kind } = positions;
  if (bank === undefined || row === undefined || column === undefined || kind === undefined) {
    throw unexpected(file, head.number, 1, head.text, expected);
  }
  return { bank, row, column, kind };
}

/**
 * Reads a table of faults: the columns bank, row, column and kind (one of FAULT_KINDS) in any order, named
 * in the first line; then a fault a line. Blank lines and lines that begin with `#` are skipped; a fault
 * may be listed again.
 *
 * @throws InputError naming file, line, column, value and what was expected.
 */
export function readCsv(bytes: Uint8Array, file: string, options: FaultFileOptions): ReadFaultFile {
  const geometry = requireGivenGeometry(options, file, 'a CSV table');
  const lines = recordLines(bytes);
  const positions = readHead(lines.next().value ?? undefined, file);
  const log = createFaultLog();
  for (const { number, text } of lines) {
    const fields = fieldsOf(text);
    if (fields.length !== COLUMNS.length) {
      throw unexpected(file, number, 1, text, `${COLUMNS.length} values separated by commas`);
    }
    const below = (name: 'bank' | 'row' | 'column', limit: number) => {
      const { text: value, column }: Field = fields[positions[name]];
      const index = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (index < limit) return index;
      throw unexpected(file, number, column, value, `a ${name} from 0 to ${limit - 1}`);
    };
    const cell = cellIndex(geometry, {
      bank: below('bank', geometry.banks),
      row: below('row', geometry.rows),
      column: below('column', geometry.columns),
    });
    const { text: kindName, column } = fields[positions.kind];
    const kind = KIND_NAMES.indexOf(kindName);
    if (kind < 0) {
      throw unexpected(file, number, column, kindName, `one of ${FAULT_KINDS.join(', ')}`);
    }
    log.add(cell, kind, number);
  }
  const merged = log.merge();
  if ('cell' in merged) {
    const { bank, row, column } = cellAt(geometry, merged.cell);
    throw errorAt(
      file,
      merged.secondLine,
      1,
      `bank ${bank}, row ${row}, column ${column} is ${FAULT_KINDS[merged.secondKind]} here, but ${FAULT_KINDS[merged.firstKind]} on line ${merged.firstLine}; expected one kind for each cell`,
    );
  }
  return { geometry, ...merged };
}

/** Writes a map as `readCsv` reads it, ascending; the geometry and provenance are not in it. */
export function formatCsv(map: FaultMap): string {
  requireRoomForText(map.cells.length, 'CSV');
  const rows = Array.from(map.cells, (index, fault) => {
    const { bank, row, column } = cellAt(map.geometry, index);
    return `${bank},${row},${column},${FAULT_KINDS[map.kinds[fault]]}\n`;
  });
  return `${COLUMNS.join(',')}\n${rows.join('')}`;
}
