import type { Missing } from '../price/missing.js';

/** Cycles of a part that keeps numbers of its own for each tile of a streamed network. */
export const CHOSEN_FOR_TILES: Missing = {
  notGiven: [
    'every tile of a streamed network brings numbers of its own, and what it takes to choose them or to bring them with the tile is not given',
  ],
};
