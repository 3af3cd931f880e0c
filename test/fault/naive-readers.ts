import type { CellGeometry, FaultFileOptions } from '../../fault/index.js';

/**
 * Readers of fault maps written for nothing but to be plain: the whole text, split into lines and words, and numbers
 * of any size. They read sound files of one format, whose columns are known, and throw at anything else.
 */
export type NaiveFault = readonly [bank: number, row: number, column: number, kind: string];

type Options = FaultFileOptions & { readonly geometry: CellGeometry };

/** Lines with something on them that is no comment. */
function records(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '' && !/^\s*(?:#|%|\/\/)/.test(line));
}

function requireThat(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}

/** What follows holds an even number of quotes: the place before it stands outside of them. */
const OUTSIDE_QUOTES = '(?=(?:[^"]*"[^"]*")*[^"]*$)';

/** Words between commas, semicolons, tabs or blanks, without quotes. */
function words(line: string): string[] {
  const bare = line.replace(/"[^"]*"/g, '');
  const separator = [';', ',', '\t', '\\|'].find((candidate) => new RegExp(candidate).test(bare));
  const text = separator === undefined ? line.trim() : line;
  return text
    .split(new RegExp(`${separator ?? '[ \t]+'}${OUTSIDE_QUOTES}`))
    .map((part) => part.trim().replace(/^"([^"]*)"$/, '$1'));
}

function wholeNumber(text: string): number {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number(text);
  const match = /^(\d+)(?:\.(\d*))?(?:e\+?(\d+))?$/i.exec(text);
  requireThat(match !== null && Number(match[3] ?? 0) <= (match[2] ?? '').length, text);
  requireThat(Number.isInteger(Number(text)), text);
  return Number(text);
}

function below(value: number, limit: number): number {
  requireThat(value >= 0 && value < limit, `${value} of ${limit}`);
  return value;
}

const KINDS: Readonly<Record<string, string>> = {
  stuckat0: 'stuck-at-0',
  sa0: 'stuck-at-0',
  stuck0: 'stuck-at-0',
  stuckat1: 'stuck-at-1',
  sa1: 'stuck-at-1',
  stuck1: 'stuck-at-1',
  flip: 'flip',
};

const LOG_HEADS: readonly string[] = ['address,fail-bit-mask', 'address,expected,actual'];

/** Each fault once, in the order of cells. */
function distinct(faults: readonly NaiveFault[], onTwoKinds?: string): NaiveFault[] {
  const byCell = new Map<string, string>();
  for (const [bank, row, column, kind] of faults) {
    const cell = `${bank},${row},${column}`;
    const before = byCell.get(cell) ?? kind;
    requireThat(before === kind || onTwoKinds !== undefined, `two kinds of ${cell}`);
    byCell.set(cell, before === kind ? kind : (onTwoKinds ?? kind));
  }
  return [...byCell]
    .map(([cell, kind]): NaiveFault => {
      const [bank, row, column] = cell.split(',').map(Number);
      return [bank, row, column, kind];
    })
    .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
}

/** What a changed letter can make of the name of a column, and is one, too. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  banks: 'bank',
  rows: 'row',
  columns: 'column',
  col: 'column',
  cols: 'column',
};

/** A table with the columns bank, row, column and perhaps kind in its first line. */
export function naiveTable(text: string, options: Options): NaiveFault[] {
  const { banks, rows, columns } = options.geometry;
  const base = options.indexBase ?? 0;
  const [head, ...lines] = records(text);
  const names = words(head).map((name) => {
    const plain = name.toLowerCase().replace(/[\s_-]/g, '');
    return OTHER_NAMES[plain] ?? plain;
  });
  if (names.at(-1) === '') names.pop();
  const needed = banks === 1 || lines.length === 0 ? ['row', 'column'] : ['bank', 'row', 'column'];
  requireThat(
    needed.every((name) => names.includes(name)),
    head,
  );
  return distinct(
    lines.map((line): NaiveFault => {
      const values = words(line);
      if (values.length === names.length + 1 && values.at(-1) === '') values.pop();
      requireThat(values.length === names.length, line);
      const value = (name: string) => values[names.indexOf(name)];
      const kind = names.includes('kind')
        ? KINDS[
            value('kind')
              .toLowerCase()
              .replace(/[\s_-]/g, '')
          ]
        : (options.kind ?? 'flip');
      requireThat(kind !== undefined, line);
      return [
        names.includes('bank') ? below(wholeNumber(value('bank')) - base, banks) : 0,
        below(wholeNumber(value('row')) - base, rows),
        below(wholeNumber(value('column')) - base, columns),
        kind,
      ];
    }),
  );
}

/** A word in a base, without a prefix or with 0x. */
function word(text: string, base: 2 | 10 | 16, bits: number): bigint {
  const isPrefixed = /^0x/i.test(text);
  const digits = { 2: /^[01]+$/, 10: /^\d+$/, 16: /^[0-9a-f]+$/i }[isPrefixed ? 16 : base];
  const plain = isPrefixed ? text.slice(2) : text;
  requireThat(digits.test(plain), text);
  const value = BigInt(
    isPrefixed || base === 16 ? `0x${plain}` : base === 2 ? `0b${plain}` : plain,
  );
  requireThat(value < 1n << BigInt(bits), text);
  return value;
}

/** The cell of a bit of a word by the rule of the documentation. */
function cellOfBit(
  { banks, rows, columns }: CellGeometry,
  mux: number,
  address: number,
  bit: number,
): readonly [number, number, number] {
  below(address, banks * rows * mux);
  const line = Math.floor(address / mux);
  return [Math.floor(line / rows), line % rows, below(bit * mux + (address % mux), columns)];
}

/** A log address,mask or address,expected,actual with these names in its first line, in given bases. */
export function naiveLog(text: string, options: Options): NaiveFault[] {
  const { geometry, columnMux = 1, kind = 'flip', addressBase = 10, maskBase = 16 } = options;
  const bits = geometry.columns / columnMux;
  const all = records(text);
  // Without a head there are addresses and masks.
  const hasHead = all.length > 0 && !/^"?\d/.test(all[0].trim());
  const names = hasHead ? words(all[0]) : ['address', 'mask'];
  const lines = hasHead ? all.slice(1) : all;
  if (names.at(-1) === '') names.pop();
  // Other heads may say something else: in a column "fail-bit" are numbers of bits.
  requireThat(!hasHead || LOG_HEADS.includes(names.join(',')), names.join(','));
  const faults = lines.flatMap((line): NaiveFault[] => {
    const values = words(line);
    if (values.length === names.length + 1 && values.at(-1) === '') values.pop();
    requireThat(values.length === names.length, line);
    const address =
      addressBase === 10 ? wholeNumber(values[0]) : Number(word(values[0], addressBase, 50));
    const masks =
      names.length === 2
        ? [[word(values[1], maskBase, bits), kind] as const]
        : (() => {
            const [expected, actual] = values.slice(1).map((value) => word(value, maskBase, bits));
            return [
              [expected & ~actual, 'stuck-at-0'],
              [actual & ~expected, 'stuck-at-1'],
            ] as const;
          })();
    return masks.flatMap(([mask, kindOfMask]) =>
      Array.from({ length: bits }, (_, bit) => bit)
        .filter((bit) => (mask >> BigInt(bit)) & 1n)
        .map((bit): NaiveFault => [...cellOfBit(geometry, columnMux, address, bit), kindOfMask]),
    );
  });
  return distinct(faults, names.length === 2 ? undefined : 'flip');
}

/** Rows of cells as faults, bank after bank. */
function ofRows(
  rows: readonly (readonly boolean[])[],
  { geometry, faultBit }: Options,
  kind: string,
): NaiveFault[] {
  requireThat(rows.length === geometry.banks * geometry.rows, `${rows.length} rows`);
  const faults = rows.flatMap((cells, line) => {
    requireThat(cells.length === geometry.columns, `row ${line} of ${cells.length}`);
    return cells.flatMap((isFaulty, column): NaiveFault[] =>
      isFaulty ? [[Math.floor(line / geometry.rows), line % geometry.rows, column, kind]] : [],
    );
  });
  const cells = geometry.banks * geometry.rows * geometry.columns;
  requireThat(faultBit !== undefined || 2 * faults.length <= cells, 'too many faults');
  return faults;
}

/** A hexadecimal dump: a row a line, a bank a line, or one line. */
export function naiveDump(text: string, options: Options): NaiveFault[] {
  const { geometry, faultBit = 0 } = options;
  const digits = Math.ceil(geometry.columns / 4);
  const lines = records(text).map((line) => line.trim().replace(/^0x/i, ''));
  const rows = lines.flatMap((line) => {
    const perLine = [1, geometry.rows, geometry.banks * geometry.rows];
    requireThat(
      perLine.some((count) => line.length === count * digits && lines[0].length === line.length),
      line,
    );
    return line.match(new RegExp(`.{${digits}}`, 'g')) ?? [];
  });
  return ofRows(
    rows.map((row) => {
      const value = word(row, 16, geometry.columns);
      return Array.from(
        { length: geometry.columns },
        (_, column) => Number((value >> BigInt(column)) & 1n) === faultBit,
      );
    }),
    options,
    faultBit === 0 ? 'stuck-at-0' : 'stuck-at-1',
  );
}

/** A 0/1 matrix without a head. */
export function naiveMatrix(text: string, options: Options): NaiveFault[] {
  const { faultBit = 1, kind = 'flip' } = options;
  const rows = records(text).map((line) => {
    const values = line.includes(';') ? words(line) : line.trim().split(/\s*[,|]\s*|\s+/);
    if (values.length > 1 && values.at(-1) === '') values.pop();
    return values.map((text) => {
      // Between semicolons a comma is that of decimal fractions.
      const value = line.includes(';') ? text.replace(',', '.') : text;
      const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value);
      const bit = isNumber ? Number(value) : { true: 1, false: 0 }[value.toLowerCase()];
      requireThat(bit === 0 || bit === 1, value);
      return bit === faultBit;
    });
  });
  return ofRows(rows, options, kind);
}

/** A bitmap of 0 and 1, or of one mark for clean and one for faulty cells. */
export function naiveBitmap(text: string, options: Options): NaiveFault[] {
  const { faultBit = 1, kind = 'flip' } = options;
  const lines = records(text).map((line) => line.replace(/[ \t]/g, ''));
  const characters = new Set(lines.join(''));
  const areBits = [...characters].every((character) => '01'.includes(character));
  const marks = [...characters].filter((character) => '.-Xx*'.includes(character));
  requireThat(
    areBits || (marks.length === characters.size && options.faultBit === undefined),
    text,
  );
  const count = (of: string) => marks.filter((mark) => of.includes(mark)).length;
  requireThat(count('.-') < 2 && count('Xx*') < 2, 'one mark for each');
  const faulty = areBits ? [`${faultBit}`] : ['X', 'x', '*'];
  return ofRows(
    lines.map((line) => [...line].map((character) => faulty.includes(character))),
    options,
    kind,
  );
}

/** A memory of Verilog's $writememh without comments in its lines. */
export function naiveMemory(text: string, options: Options): NaiveFault[] {
  const { geometry, columnMux = 1, faultBit = 0 } = options;
  const bits = geometry.columns / columnMux;
  const memory = new Map<number, bigint>();
  let address = 0;
  const code = text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\/\/[^\n]*/g, '');
  for (const token of code.split(/\s+/).filter((part) => part !== '')) {
    if (token.startsWith('@')) {
      address = Number.parseInt(token.slice(1), 16);
      requireThat(/^@[0-9a-f]+$/i.test(token), token);
      continue;
    }
    const digits = token.replaceAll('_', '').replace(/^0x/i, '0x');
    requireThat(digits.length === Math.ceil(bits / 4) && /^[0-9a-f]+$/i.test(digits), token);
    requireThat(!memory.has(address), `@${address} twice`);
    memory.set(address, word(digits, 16, bits));
    address += 1;
  }
  requireThat(memory.size === geometry.banks * geometry.rows * columnMux, `${memory.size} words`);
  return distinct(
    [...memory].flatMap(([at, value]) =>
      Array.from({ length: bits }, (_, bit) => bit)
        .filter((bit) => Number((value >> BigInt(bit)) & 1n) === faultBit)
        .map(
          (bit): NaiveFault => [
            ...cellOfBit(geometry, columnMux, at, bit),
            faultBit === 0 ? 'stuck-at-0' : 'stuck-at-1',
          ],
        ),
    ),
  );
}
