import { gunzipSync } from 'node:zlib';
import {
  allBytes,
  type ByteSource,
  bytesSource,
  firstBytes,
  InputError,
  memoryForData,
} from '../../core/index.js';

const TO_TEXT = 'save the cells as text or with numpy.save';

/** Files of other programs by their first bytes: what they are, and what to write in their place. */
const SIGNATURES: readonly {
  readonly start: string | readonly number[];
  readonly what: string;
  readonly remedy: string;
}[] = [
  { start: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG image', remedy: TO_TEXT },
  { start: [0xff, 0xd8, 0xff], what: 'a JPEG image', remedy: TO_TEXT },
  { start: 'GIF8', what: 'a GIF image', remedy: TO_TEXT },
  { start: 'BM', what: 'a BMP image', remedy: TO_TEXT },
  { start: [0x49, 0x49, 0x2a, 0], what: 'a TIFF image', remedy: TO_TEXT },
  { start: [0x4d, 0x4d, 0, 0x2a], what: 'a TIFF image', remedy: TO_TEXT },
  { start: '%PDF', what: 'a PDF document', remedy: 'save the table as CSV' },
  {
    start: 'MATLAB 5.0 MAT-file',
    what: 'a MAT-file of MATLAB',
    remedy: 'writematrix writes it as CSV text',
  },
  {
    start: [0x89, 0x48, 0x44, 0x46],
    what: 'an HDF5 file, such as a MAT-file 7.3 of MATLAB',
    remedy: 'save the array as text (writematrix) or with numpy.save',
  },
  {
    start: [0xd0, 0xcf, 0x11, 0xe0],
    what: 'an Excel workbook (.xls)',
    remedy: 'save the sheet as CSV',
  },
  { start: 'PAR1', what: 'a Parquet file', remedy: 'write it as CSV (to_csv)' },
  { start: 'ARROW1', what: 'an Arrow file', remedy: 'write it as CSV (to_csv)' },
  { start: 'SQLite format 3', what: 'an SQLite database', remedy: 'export the table as CSV' },
  { start: [0x80, 2, 0x8a], what: 'a pickle of Python', remedy: 'save the array with numpy.save' },
  { start: [0x80, 3], what: 'a pickle of Python', remedy: 'save the array with numpy.save' },
  { start: [0x80, 4, 0x95], what: 'a pickle of Python', remedy: 'save the array with numpy.save' },
  { start: [0x80, 5, 0x95], what: 'a pickle of Python', remedy: 'save the array with numpy.save' },
  { start: 'BZh', what: 'compressed by bzip2', remedy: 'unpack it with bunzip2' },
  {
    start: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    what: 'compressed by xz',
    remedy: 'unpack it with unxz',
  },
  {
    start: [0x28, 0xb5, 0x2f, 0xfd],
    what: 'compressed by Zstandard',
    remedy: 'unpack it with unzstd',
  },
  { start: [0x37, 0x7a, 0xbc, 0xaf], what: 'a 7z archive', remedy: 'unpack it' },
  { start: [0x7f, 0x45, 0x4c, 0x46], what: 'an ELF program', remedy: 'give a dump of the memory' },
];

const GZIP = [0x1f, 0x8b, 8];
const ZIP = [0x50, 0x4b, 3, 4];
const PREFIX_BYTES = 4096;

function startsWith(bytes: Uint8Array, start: string | readonly number[]): boolean {
  const wanted = typeof start === 'string' ? [...start].map((one) => one.charCodeAt(0)) : start;
  return wanted.every((byte, index) => bytes[index] === byte);
}

/** What a zip archive is, by the names of its first files. */
function zipProblem(bytes: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(bytes);
  if (text.includes('[Content_Types].xml') || text.includes('xl/')) {
    return 'an Excel workbook (.xlsx); save the sheet as CSV';
  }
  if (text.includes('.npy'))
    return 'an archive of NumPy (.npz); save the one array with numpy.save';
  return 'a zip archive; unpack it';
}

/**
 * The content of a file: what gzip packed is unpacked.
 *
 * @throws InputError naming what it is when another program wrote it in a form that is not read, and the form to
 * write
 */
export function contentOf(source: ByteSource): ByteSource {
  const { file } = source;
  const bytes = firstBytes(source, PREFIX_BYTES);
  if (startsWith(bytes, GZIP)) return contentOf(unpacked(source));
  if (startsWith(bytes, ZIP)) throw new InputError(`${file} is ${zipProblem(bytes)}.`);
  const found = SIGNATURES.find(({ start }) => startsWith(bytes, start));
  if (found === undefined || isPlainText(bytes, found.start)) return source;
  throw new InputError(`${file} is ${found.what}; ${found.remedy}.`);
}

/** Whether a file that begins as another one may be text all the same, as `BM` may. */
function isPlainText(bytes: Uint8Array, start: string | readonly number[]): boolean {
  const isShortText = typeof start === 'string' && start.length < 4;
  return isShortText && bytes.every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
}

function unpacked(source: ByteSource): ByteSource {
  const { file } = source;
  try {
    const packed = allBytes(source);
    return bytesSource(gunzipSync(packed, { maxOutputLength: memoryForData(packed.length) }), file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file} cannot be unpacked (${problem}); unpack it with gunzip.`);
  }
}

const BYTE = '[0-9a-f]{2}';

const YAML = {
  pattern: /^\s*(?:%YAML|---|- |[A-Za-z]\w*:\s*(?:$|\S))/,
  what: 'YAML',
  remedy: 'write it as JSON, or as a CSV table bank,row,column,kind',
};

/** Texts of other programs by their lines: what they are, and what to write in their place. */
const LISTINGS: readonly {
  readonly pattern: RegExp;
  readonly what: string;
  readonly remedy: string;
}[] = [
  {
    pattern: new RegExp(
      String.raw`^\s*[0-9a-f]{5,16}:?\s+(?:(?:${BYTE}){1,8}\s+)+(?:\s*\S.*|\|.*\|)?$|^\s*[0-9a-f]+:\s+(?:${BYTE}){1,8}\b`,
      'i',
    ),
    what: 'a listing with offsets (xxd, hexdump, objdump), which does not say in which order the bytes of a row stand',
    remedy: 'write the rows as hexadecimal words, a row a line',
  },
  {
    pattern: /^\s*(?:\[[A-Za-z]|===|---\s*\S|\*\*\*)/,
    what: 'a file in sections that name no bank',
    remedy: 'write [bank 0], or a column bank: bank,address,fail-bit-mask',
  },
  {
    pattern: /^:[0-9a-f]{10,}$/i,
    what: 'an Intel HEX file, which does not say in which order the bytes of a row stand',
    remedy: 'write the rows as hexadecimal words, a row a line',
  },
  {
    pattern: /^S[0-9][0-9a-f]{8,}$/i,
    what: 'a file of S-records, which does not say in which order the bytes of a row stand',
    remedy: 'write the rows as hexadecimal words, a row a line',
  },
  {
    pattern: /memory_initialization_(?:radix|vector)|^\s*(?:DEPTH|WIDTH|ADDRESS_RADIX)\s*=/i,
    what: 'an initialization file (COE, MIF)',
    remedy: 'write the words as hexadecimal digits, a word a line',
  },
  YAML,
  { pattern: /^\s*</, what: 'XML or HTML', remedy: 'save the table as CSV' },
];

/**
 * Whether each line begins with an offset that grows by the bytes on it, in hexadecimal or octal digits: the listing
 * of a dump, whatever else its numbers could be.
 */
export function isListing(records: readonly string[]): boolean {
  const rows = records.slice(0, 4).map((record) => record.trim().split(/\s+/));
  if (rows.length < 2 || !rows.every(([offset]) => /^[0-9a-f]{6,16}:?$/i.test(offset)))
    return false;
  const bytes = rows[0].slice(1).filter((word) => /^(?:[0-9a-f]{2}){1,8}$/i.test(word));
  const count = bytes.reduce((sum, word) => sum + word.length / 2, 0);
  if (count === 0) return false;
  return [16, 8].some((base) =>
    rows.every(([offset], index) => {
      const before = Number.parseInt(rows[Math.max(0, index - 1)][0], base);
      return index === 0 || Number.parseInt(offset, base) - before === count;
    }),
  );
}

/**
 * Whether lines are YAML, whatever their names and values could be: a list of mappings, or a mapping of lists and
 * mappings, perhaps behind a line that begins the document.
 */
export function isYaml(records: readonly string[]): boolean {
  const [first = '', next = ''] = /^(?:---\s*|%YAML\b.*)$/.test(records[0] ?? '')
    ? records.slice(1)
    : records;
  if (/^\s*-\s+(?:[A-Za-z_]\w*\s*:(?:\s|$)|\{)/.test(first)) return true;
  if (/^[A-Za-z_]\w*:\s+[[{]/.test(first)) return true;
  // Several names and values on a line are a record of a log, below a heading.
  const isNested = /^(?:\s+[A-Za-z_]\w*\s*:(?:\s+[^\s:]+)?\s*|\s*-\s.*)$/.test(next);
  return isNested && /^[A-Za-z_]\w*:\s*$/.test(first);
}

/** What a text is that another program wrote in a form that is not read, and the form to write; undefined when unknown. */
export function listingProblem(records: readonly string[]): string | undefined {
  const first = records[0] ?? '';
  const found = isListing(records)
    ? LISTINGS[0]
    : isYaml(records)
      ? YAML
      : LISTINGS.find(({ pattern }) => pattern.test(first));
  return found && `${found.what}; ${found.remedy}`;
}
