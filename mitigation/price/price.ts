import type { NotGiven } from '../../sim/index.js';
import type { Missing, OrMissing } from './missing.js';

/** Cells of every memory word where a part stands; they are read with the word. */
export interface WordCells {
  /** What they hold: of two parts that hold the same in a word, the one with more cells counts. */
  readonly hold: string;
  readonly perWord: number;
}

/** Cells that stand once, outside the memory's words. */
export interface Registers {
  /** What they hold: parts that hold the same share them. */
  readonly hold: string;
  readonly count: number;
}

/** State that a part needs beside the data. */
export type AddedCells = WordCells | Registers;

/**
 * 2-input XOR gates, as trees that share nothing, of one encoder and one decoder for a memory word, which all banks
 * share. What matches a syndrome with a bit, or makes zero of a word, is not in it.
 */
export interface XorGates {
  readonly encoder: number;
  readonly syndrome: number;
  readonly corrector: number;
}

/** What a part takes, as its construction says. */
export interface PartPrice {
  readonly cells: OrMissing<readonly AddedCells[]>;
  readonly xorGates: OrMissing<XorGates>;
  /** XOR gates behind one another before what was read is judged: of a code, those of the deepest syndrome tree. */
  readonly levels: OrMissing<number>;
  /** Cycles that an image takes longer; what is combinational takes none. */
  readonly cycles: OrMissing<number>;
  /** Energy that it takes while an image is computed. */
  readonly energy: OrMissing<'of reading its cells'>;
}

export const NO_GATES: XorGates = { encoder: 0, syndrome: 0, corrector: 0 };

/** Of a part that asks nothing of a die. */
export const NOTHING: PartPrice = {
  cells: [],
  xorGates: NO_GATES,
  levels: 0,
  cycles: 0,
  energy: 'of reading its cells',
};

export const NO_COMPARATOR: Missing = {
  notGiven: ['it compares numbers, and no opened source gives a comparator in XOR gates'],
};

/** Of a part that compares each number with limits of its own. */
export const COMPARING = {
  xorGates: NO_COMPARATOR,
  cycles: 0,
  energy: { notGiven: ['it compares numbers, and no opened source gives the energy of that'] },
} as const;

const NO_MAJORITY: Missing = {
  notGiven: ['it reads by majority, and no opened source gives that in XOR gates'],
};

/** Of a part that reads bits by majority. */
export const VOTING: PartPrice = { ...NOTHING, xorGates: NO_MAJORITY, levels: NO_MAJORITY };

/** What can be null in a price. */
export const PRICE_COMPONENTS = [
  'cells',
  'xorGates',
  'readLatency.levels',
  'readLatency.seconds',
  'cycles',
  'energy',
  'area',
] as const;

export type PriceComponent = (typeof PRICE_COMPONENTS)[number];

/** What a mitigation takes on a die; null: not given. */
export interface Price {
  /** All state beside the data cells, and its share of the data cells of the weight memory. */
  readonly cells: { readonly count: number | null; readonly share: number | null };
  readonly xorGates: XorGates | null;
  /** XOR gates behind one another before what was read is judged, and their delay. */
  readonly readLatency: { readonly levels: number | null; readonly seconds: number | null };
  /** Cycles that an image takes longer. */
  readonly cycles: number | null;
  /** Joules that an image takes more: those of reading the added cells. */
  readonly energy: number | null;
  /** Square metres of the added cells and XOR gates. */
  readonly area: number | null;
  readonly notGiven: readonly NotGiven<PriceComponent>[];
}

/** Of no parts at all: it needs no figure. */
export const PRICE_OF_NOTHING: Price = {
  cells: { count: 0, share: 0 },
  xorGates: NO_GATES,
  readLatency: { levels: 0, seconds: 0 },
  ...{ cycles: 0, energy: 0, area: 0, notGiven: [] },
};

/** A price of which nothing can be said, for one reason. */
export function unknownPrice(reason: string): Price {
  return {
    cells: { count: null, share: null },
    xorGates: null,
    readLatency: { levels: null, seconds: null },
    ...{ cycles: null, energy: null, area: null },
    notGiven: PRICE_COMPONENTS.map((component) => ({ component, reason })),
  };
}
