import { type ByteSource, excerpt, InputError } from '../../core/index.js';
import { cellCount, checkGeometry } from '../geometry.js';
import type { FaultFormat } from './fault-format.js';
import { createFaultyCells, faultsOf, requireFewFaults } from './faulty-cells.js';
import { firstInk, forEachLine, isComment, textOf } from './lines.js';
import type { CellFile } from './matrix.js';
import { createCommentCollector } from './notes.js';
import { errorAt, unexpected } from './place.js';
import type { FaultFileOptions } from './read-options.js';

/** Characters of bitmaps that are not bits: those of clean cells, and those of faulty ones. */
const CLEAN = '.-';
const FAULTY = 'Xx*';

const BITS = /^[01\s]+$/;
const MARKS = /^[.\-Xx*\s]+$/;

function withoutBlanks(record: string): string {
  return record.replace(/\s/g, '');
}

/**
 * A bitmap in characters: a row (word line) a line, bank after bank, column 0 first, a character a cell; blanks mean
 * nothing. 1 is a fault (0, where the fault bit is 0); or X, x or * beside . or - for a clean cell.
 */
export const bitmap: FaultFormat = {
  title: 'a bitmap of a character a cell',
  takes: ['kind', 'faultBit'],
  recognises({ records, isCut }, { geometry, columns }) {
    if (records.length === 0 || columns !== undefined) return 'no';
    const areMarks = records.every((record) => MARKS.test(record));
    if (!areMarks && !records.every((record) => BITS.test(record))) return 'no';
    const whole = isCut && records.length > 1 ? records.slice(0, -1) : records;
    const length = withoutBlanks(whole[0]).length;
    if (!areMarks) {
      // Single characters between blanks are a matrix, which reads the same.
      const words = whole.map((record) => record.trim().split(/\s+/));
      if (words.every((row) => row.length > 1 && row.every((word) => word.length === 1)))
        return 'no';
    }
    const isEven = whole.every((record) => withoutBlanks(record).length === length);
    if (!isEven || (geometry && geometry.columns !== length)) return 'misfit';
    return areMarks ? 'certain' : 'possible';
  },
  read(source, options) {
    const { geometry, cells, notes } = readBitmapCells(source, options);
    const faults = faultsOf(cells, options.kind ?? 'flip');
    return { geometry, faults, notes, repeatedLines: 0 };
  },
};

const [ZERO, ONE, SPACE, TAB] = [...'01 \t'].map((character) => character.charCodeAt(0));

/** Which character stands for what; the first one of each kind decides. */
interface Alphabet {
  clean: number;
  faulty: number;
}

/**
 * Reads the cells of a bitmap that are faulty.
 *
 * @param options.geometry Default: one bank of the rows and columns of the bitmap.
 * @throws InputError naming file, line, column, value and what was expected
 */
export function readBitmapCells(source: ByteSource, options: FaultFileOptions): CellFile {
  const { file } = source;
  const { geometry: given, faultBit = 1 } = options;
  const rowCount = given ? given.banks * given.rows : Number.POSITIVE_INFINITY;
  const faulty = createFaultyCells(file, given ? cellCount(given) : Infinity, options);
  const comments = createCommentCollector();
  const alphabet: Alphabet = { clean: -1, faulty: -1 };
  let columns = given?.columns;
  let row = 0;
  let lastLine = 0;

  /** Whether a character stands for a faulty cell; undefined when it stands for none. */
  function isFaulty(code: number): boolean | undefined {
    if (code === alphabet.clean) return false;
    if (code === alphabet.faulty) return true;
    const areBits =
      alphabet.clean === ZERO ||
      alphabet.clean === ONE ||
      alphabet.faulty === ZERO ||
      alphabet.faulty === ONE;
    const isNew = alphabet.clean < 0 && alphabet.faulty < 0;
    if (code === ZERO || code === ONE) {
      if (!areBits && !isNew) return undefined;
      const marksFault = (code === ONE ? 1 : 0) === faultBit;
      alphabet[marksFault ? 'faulty' : 'clean'] = code;
      return marksFault;
    }
    if (areBits) return undefined;
    const character = String.fromCharCode(code);
    if (CLEAN.includes(character) && alphabet.clean < 0) alphabet.clean = code;
    else if (FAULTY.includes(character) && alphabet.faulty < 0) alphabet.faulty = code;
    else return undefined;
    if (options.faultBit !== undefined) {
      throw new InputError(
        `${file} is a bitmap of . and X, in which no bit marks a fault; leave --fault-bit away.`,
      );
    }
    return code === alphabet.faulty;
  }

  function expectedCharacter(): string {
    const known = [alphabet.clean, alphabet.faulty].filter((code) => code >= 0);
    if (known.length < 2) return '0 or 1, or . or X';
    return known.map((code) => String.fromCharCode(code)).join(' or ');
  }

  forEachLine(source, (bytes, start, end, line) => {
    const ink = firstInk(bytes, start, end);
    if (ink === end) return false;
    if (isComment(bytes, ink)) {
      comments.add(bytes, ink, end);
      return false;
    }
    lastLine = line;
    if (row === rowCount) {
      const found = textOf(bytes, start, end);
      throw unexpected(file, line, 1, found, `the end of the file after ${row} rows`);
    }
    const width = columns ?? Number.POSITIVE_INFINITY;
    let column = 0;
    const stride = columns ?? countInk(bytes, ink, end);
    for (let at = ink; at < end; at += 1) {
      const code = bytes[at];
      if (code === SPACE || code === TAB) continue;
      const verdict = isFaulty(code);
      if (verdict === undefined) {
        const found = textOf(bytes, at, Math.min(end, at + 4)).slice(0, 1);
        throw unexpected(file, line, at - start + 1, found, expectedCharacter());
      }
      if (verdict && column < width) faulty.add(row * stride + column);
      column += 1;
    }
    columns ??= column;
    if (column !== columns) {
      const found = excerpt(textOf(bytes, ink, end));
      throw errorAt(
        file,
        line,
        1,
        `found "${found}", a row of ${column} cells; expected ${columns}`,
      );
    }
    row += 1;
    return false;
  });
  if (columns === undefined || (given && row < rowCount)) {
    const expected = given ? `${rowCount} rows, bank after bank` : 'a row of cells';
    throw errorAt(file, lastLine + 1, 1, `found the end after ${row} rows; expected ${expected}`);
  }
  const geometry = given ?? { banks: 1, rows: row, columns };
  checkGeometry(geometry, file);
  const cells = faulty.take();
  requireFewFaults(cells.length, geometry, file, options);
  return { geometry, cells, notes: comments.notes() };
}

function countInk(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== SPACE && bytes[at] !== TAB) count += 1;
  }
  return count;
}
