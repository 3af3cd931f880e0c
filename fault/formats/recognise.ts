import { type ByteSource, firstBytes, InputError, utf8Blocks } from '../../core/index.js';
import type { FaultFormat, Prefix } from './fault-format.js';
import { isComment } from './lines.js';
import { isListing, isYaml, listingProblem } from './other-files.js';
import type { FaultFileOptions } from './read-options.js';

/** Bytes by which formats are told from one another. */
const PREFIX_BYTES = 1 << 18;

/** Bytes of a file that are no text say so within as many. */
const TEXT_BYTES = 4096;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The beginning of a file; of one that is no text its bytes alone. */
export function prefixOf(source: ByteSource): Prefix {
  const bytes = firstBytes(source, PREFIX_BYTES);
  let text = '';
  let isWhole = true;
  for (const block of utf8Blocks(source)) {
    const left = PREFIX_BYTES - text.length;
    text += decoder.decode(block.subarray(0, left));
    if (block.length > left) isWhole = false;
    if (text.length >= PREFIX_BYTES) break;
  }
  const records = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !isComment(encoder.encode(line.trimStart()), 0));
  return { bytes, records, isCut: !isWhole || text.length >= PREFIX_BYTES };
}

/** A file that is no text: which of the formats that are none it may be. */
export function binaryPrefixOf(source: ByteSource): Prefix {
  return { bytes: firstBytes(source, TEXT_BYTES), records: [], isCut: true };
}

/**
 * The one format that a file can be read in.
 *
 * @param formats All formats by their names, the binary ones first.
 * @throws InputError when there is none, or more than one; then it names the option that decides
 */
export function recognise<Name extends string>(
  source: ByteSource,
  formats: readonly (readonly [Name, FaultFormat])[],
  options: FaultFileOptions,
): Name {
  const { file } = source;
  const start = binaryPrefixOf(source);
  const signed = formats.find(([, format]) => format.recognises(start, options) === 'certain');
  if (signed !== undefined) return signed[0];
  const prefix = textPrefix(source);
  if (prefix.records.length === 0) {
    throw new InputError(`${file}:1:1: found no line with a value; expected a fault map.`);
  }
  if (isListing(prefix.records) || isYaml(prefix.records)) throw unknownFormat(file, prefix);
  // A mistake further down is for the reader of the first line to name.
  const first: Prefix = { ...prefix, records: prefix.records.slice(0, 1), isCut: true };
  const readings =
    [prefix, first]
      .map((part) => readingsOf(part, formats, options))
      .find((some) => some.length > 0) ?? [];
  if (readings.length === 1) return readings[0].name;
  if (readings.length === 0) throw unknownFormat(file, prefix);
  const titles = readings.map(({ format }) => format.title);
  const decisive = readings.map(({ name }) => decisiveOption(name));
  throw new InputError(`${file} can be read as ${anyOf(titles)}; ${anyOf(decisive)} decides.`);
}

/** The formats that a file may be in: those of which it can only be one, else those that fit the memory, else any. */
function readingsOf<Name extends string>(
  prefix: Prefix,
  formats: readonly (readonly [Name, FaultFormat])[],
  options: FaultFileOptions,
) {
  const found = formats.map(([name, format]) => ({
    name,
    format,
    recognition: format.recognises(prefix, options),
  }));
  return (
    ['certain', 'possible', 'misfit']
      .map((wanted) => found.filter(({ recognition }) => recognition === wanted))
      .find((some) => some.length > 0) ?? []
  );
}

function decisiveOption(name: string): string {
  return name === 'list' ? '--columns with their names' : `--from ${name}`;
}

/** The beginning of a text; an error about its bytes names what gives text of raw bytes. */
function textPrefix(source: ByteSource): Prefix {
  try {
    return prefixOf(source);
  } catch (error) {
    if (!(error instanceof InputError) || !/NUL byte|not encoded/.test(error.message)) throw error;
    const start = firstBytes(source, TEXT_BYTES);
    const wrong = start.filter((byte) => byte < 9 || byte >= 0x80).length;
    if (10 * wrong < start.length) throw error;
    throw new InputError(
      `${error.message.replace(/\.$/, '')}; if these are the raw bytes of a memory, write its rows as hexadecimal words, a row a line (xxd -p -c BYTES).`,
      { cause: error },
    );
  }
}

function unknownFormat(file: string, { records }: Prefix): InputError {
  const listing = listingProblem(records);
  if (listing !== undefined) return new InputError(`${file}:1:1: found ${listing}.`);
  return new InputError(
    `${file}:1:1: no known fault-map format; expected Bitcell JSON or binary, a table (bank,row,column,kind), a hexadecimal dump, an MBIST log (address,fail-bit-mask), a 0/1 matrix or bitmap, or a NumPy array.`,
  );
}

function anyOf(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
}
