/** Random numbers in bulk, and the sets of cells that are drawn with them. */
export { arrangeBits, countBits, markDraws, markKinds } from './cells';
export { integersBelow } from './philox';
