import type { ByteSource } from '../../core/index.js';
import type { FaultFileOptions, ReadingOption } from './read-options.js';
import type { ReadFaultFile } from './read-result.js';

/**
 * Whether a file can be read in a format: it can only be that one (`certain`), it can be (`possible`), it can but
 * then contradicts what is known of the memory (`misfit`), or it cannot (`no`).
 */
export type Recognition = 'certain' | 'possible' | 'misfit' | 'no';

/** The beginning of a file, as far as formats are told by it. */
export interface Prefix {
  /** The first bytes, as they are. */
  readonly bytes: Uint8Array;
  /** The lines of text that are neither blank nor comments, without their ends; the last one may be cut off. */
  readonly records: readonly string[];
  /** Whether the last record is cut off, or more follow it. */
  readonly isCut: boolean;
}

/** A format that files of faults are read in. */
export interface FaultFormat {
  /** What a file of this format is, with its article. */
  readonly title: string;
  /** The options that it has a use for; others are errors. */
  readonly takes: readonly ReadingOption[];
  recognises(prefix: Prefix, options: FaultFileOptions): Recognition;
  /**
   * Reads a file in one pass or two, in memory in proportion to the faults.
   *
   * @throws InputError naming file, line, column, value and what was expected
   */
  read(source: ByteSource, options: FaultFileOptions): ReadFaultFile;
}
