import type { FaultKind } from '../fault-kind.js';
import type { CellGeometry } from '../geometry.js';

/** A value of a label that the lines of a table must have, to be read. */
export interface Selection {
  readonly name: string;
  readonly value: string;
}

/** What a fault-map file does not say itself. */
export interface FaultFileOptions {
  /** The memory. Needed by tables and logs; a dump or matrix must fit it; JSON, binary and 3-D arrays have their own. */
  readonly geometry?: CellGeometry | undefined;
  /** Memory words that interleave in a row; addresses count by it. Default: 1. */
  readonly columnMux?: number | undefined;
  /** What a failing cell does, where the file does not say. Default: flip. */
  readonly kind?: FaultKind | undefined;
  /** The bit that marks a fault. Default: 0 in dumps, 1 in matrices and bitmaps. */
  readonly faultBit?: 0 | 1 | undefined;
  /** Names of the columns of a table that has none; `-` for a column without a meaning. */
  readonly columns?: readonly string[] | undefined;
  /** The first bank, row and column of a table. Default: 0. */
  readonly indexBase?: 0 | 1 | undefined;
  /** The base of addresses without `0x`. Default: as the column says. */
  readonly addressBase?: 10 | 16 | undefined;
  /** The base of masks and words of data without `0x`. Default: as the column says. */
  readonly maskBase?: 2 | 10 | 16 | undefined;
  /** The lines of a table that are read. Default: all, which must be of one die and voltage. */
  readonly select?: readonly Selection[] | undefined;
  /** What the lines of a table are of that are read, where it has a column `storage`. Default: all, which must be of one. */
  readonly storage?: string | undefined;
  /** Whether the lines of a table make a map for each die and voltage. Default: one map. */
  readonly isSplit?: boolean | undefined;
}

/** The options that say how a file is to be read, with the flags of the command line that set them. */
export const READING_FLAGS = {
  kind: '--kind',
  faultBit: '--fault-bit',
  columns: '--columns',
  indexBase: '--index-base',
  addressBase: '--address-base',
  maskBase: '--mask-base',
  select: '--select',
} as const satisfies Partial<Record<keyof FaultFileOptions, string>>;

/** An option that only some formats take. */
export type ReadingOption = keyof typeof READING_FLAGS;

/** All of them. */
export const READING_OPTIONS = Object.keys(READING_FLAGS) as readonly ReadingOption[];
