import { type ByteSource, excerpt, InputError } from '../../core/index.js';
import { type CellGeometry, cellCount, checkGeometry } from '../geometry.js';
import { dataGeometry } from '../regions.js';
import type { FaultFormat } from './fault-format.js';
import { createFaultyCells, faultsOf, requireFewFaults } from './faulty-cells.js';
import { createFieldSplitter, unexpectedField } from './fields.js';
import { forEachLine, textOf } from './lines.js';
import { createWordReader, type WordReader } from './number-base.js';
import { errorAt } from './place.js';
import type { FaultFileOptions } from './read-options.js';
import type { ReadFaultFile } from './read-result.js';
import { hexadecimalAt } from './whole-number.js';
import { cellOfWordBit, memoryWords } from './words.js';

const [AT, SLASH, STAR, UNDERSCORE] = [...'@/*_'].map((character) => character.charCodeAt(0));
const ADDRESS = /^\s*@[0-9a-f]+(?:\s|$)/i;

/**
 * A memory as Verilog's $writememh writes it, filled with ones or zeros: hexadecimal words from address 0, or from
 * the one that `@` gives in hexadecimal digits, with comments between them. A bit that differs is a fault, as in a
 * hexadecimal dump. Bit b of the word at address a lies where `cellOfWordBit` says.
 */
export const memh: FaultFormat = {
  title: "a memory file of Verilog's $writememh",
  takes: ['faultBit'],
  recognises({ records, isCut }, { geometry, columnMux = 1, columns }) {
    if (records.some((record) => ADDRESS.test(record))) return 'certain';
    // Words on one line are those of neighbouring addresses only where a word is as long as those of the memory.
    const whole = isCut && records.length > 1 ? records.slice(0, -1) : records;
    const words = whole.flatMap((record) => record.trim().split(/\s+/));
    const [first = ''] = words;
    const areWords =
      words.length > whole.length &&
      words.some((word) => /[a-f]/i.test(word)) &&
      words.every((word) => word.length === first.length && /^[0-9a-f]{2,}$/i.test(word));
    if (!areWords || columns !== undefined) return 'no';
    if (geometry === undefined) return 'misfit';
    const rowColumns = dataGeometry(geometry).columns;
    const digits = Math.ceil(rowColumns / columnMux / 4);
    // Rows in groups of digits are no log of addresses and masks either.
    const perLine = words.length / whole.length;
    const areGroups = 4 * first.length * perLine === rowColumns;
    return digits === first.length || areGroups ? 'possible' : 'misfit';
  },
  read: readMemh,
};

/** The words of a file one after the other: their digits without `_`, and where they stand. */
function forEachWord(
  source: ByteSource,
  visit: (bytes: Uint8Array, start: number, end: number, place: () => string) => void,
  onAddress: (address: number, place: string) => void,
): void {
  const splitter = createFieldSplitter(source.file, 'blanks');
  let isInComment = false;
  forEachLine(source, (bytes, start, end, line) => {
    const code = codeOf(bytes, start, end);
    const fields = splitter.split(code.bytes, code.start, code.end, line);
    for (let field = 0; field < fields.count; field += 1) {
      const [first, last] = [fields.starts[field], fields.ends[field]];
      const place = () => fields.place(field);
      if (fields.bytes[first] !== AT) {
        const digits = withoutUnderscores(fields.bytes, first, last);
        visit(digits.bytes, digits.start, digits.end, place);
        continue;
      }
      const address = hexadecimalAt(fields.bytes, first + 1, last);
      if (address < 0) throw unexpectedField(fields, field, 'a hexadecimal address after @');
      onAddress(address, place());
    }
    return false;
  });

  /** A line without its comments, which are blanks. */
  function codeOf(bytes: Uint8Array, start: number, end: number) {
    if (!isInComment && bytes.subarray(start, end).indexOf(SLASH) < 0) return { bytes, start, end };
    const code = bytes.slice(start, end);
    for (let at = 0; at < code.length; at += 1) {
      const [byte, next] = [code[at], code[at + 1]];
      if (isInComment) {
        if (byte === STAR && next === SLASH) {
          isInComment = false;
          code[at + 1] = 0x20;
        }
        code[at] = 0x20;
      } else if (byte === SLASH && next === SLASH) {
        code.fill(0x20, at);
      } else if (byte === SLASH && next === STAR) {
        isInComment = true;
        code.fill(0x20, at, at + 2);
        at += 1;
      }
    }
    return { bytes: code, start: 0, end: code.length };
  }
}

function withoutUnderscores(bytes: Uint8Array, start: number, end: number) {
  if (bytes.subarray(start, end).indexOf(UNDERSCORE) < 0) return { bytes, start, end };
  const digits = bytes.slice(start, end).filter((byte) => byte !== UNDERSCORE);
  return { bytes: digits, start: 0, end: digits.length };
}

/** The memory that a file shows by itself: a word a row, as many as there are. */
function shownGeometry(source: ByteSource): CellGeometry {
  let [digits, words, address] = [0, 0, 0];
  forEachWord(
    source,
    (_bytes, start, end) => {
      digits ||= end - start;
      address += 1;
      words = Math.max(words, address);
    },
    (next) => {
      address = next;
    },
  );
  if (words === 0) throw errorAt(source.file, 1, 1, 'found no words; expected hexadecimal ones');
  return { banks: 1, rows: words, columns: 4 * digits };
}

function readMemh(source: ByteSource, options: FaultFileOptions): ReadFaultFile {
  const { file } = source;
  const { columnMux = 1, faultBit = 0 } = options;
  if (options.kind !== undefined) {
    throw new InputError(
      `${file} is a dump, whose faults are stuck-at-0, or stuck-at-1 with --fault-bit 1; leave --kind away.`,
    );
  }
  const geometry = options.geometry ?? shownGeometry(source);
  checkGeometry(geometry, file);
  const words = memoryWords(geometry, columnMux, file);
  const reader: WordReader = createWordReader(words.bits, 16);
  const digits = Math.ceil(words.bits / 4);
  const faulty = createFaultyCells(file, cellCount(geometry), options);
  const covered = createCover();
  forEachWord(
    source,
    (bytes, start, end, place) => {
      const address = covered.next();
      const isWord = end - start === digits && hexadecimalAt(bytes, start, end) >= 0;
      const word = isWord ? reader.read(bytes, start, end) : undefined;
      if (word === undefined) {
        const found = textOf(bytes, start, end);
        throw new InputError(
          `${place()}: found "${excerpt(found)}"; expected a word of ${words.bits} bits as ${digits} hexadecimal digits.`,
        );
      }
      if (address >= words.addresses) {
        throw new InputError(
          `${place()}: found a word at address ${address}; expected addresses from 0 to ${words.addresses - 1}.`,
        );
      }
      for (let bit = 0; bit < words.bits; bit += 1) {
        if (((word[bit >>> 5] >>> (bit & 31)) & 1) === faultBit) {
          faulty.add(cellOfWordBit(geometry, columnMux, address, bit));
        }
      }
      covered.add();
    },
    (address) => covered.goTo(address),
  );
  covered.requireAll(words.addresses, file);
  const cells = faulty.take().sort();
  requireFewFaults(cells.length, geometry, file, options);
  const faults = faultsOf(cells, faultBit === 0 ? 'stuck-at-0' : 'stuck-at-1');
  return { geometry, faults, repeatedLines: 0 };
}

/** The addresses of which words have been read, as ranges of neighbours. */
function createCover() {
  const ranges: { readonly first: number; end: number }[] = [];
  let address = 0;
  let range: { readonly first: number; end: number } | undefined;
  return {
    next: () => address,
    goTo(next: number): void {
      address = next;
      range = undefined;
    },
    add(): void {
      if (range === undefined) {
        range = { first: address, end: address };
        ranges.push(range);
      }
      address += 1;
      range.end = address;
    },
    /** @throws InputError when one of so many addresses has no word, or two */
    requireAll(count: number, file: string): void {
      const sorted = ranges.slice().sort((a, b) => a.first - b.first);
      let end = 0;
      for (const next of sorted) {
        if (next.first < end) {
          throw new InputError(
            `${file}: address ${next.first} has a word a second time; expected it once.`,
          );
        }
        if (next.first > end) break;
        end = next.end;
      }
      if (end < count) {
        throw new InputError(
          `${file}: address ${end} has no word; expected one for each of the ${count} addresses.`,
        );
      }
    },
  };
}
