import { dataLanes, type Placement, wordSlots } from '../../sim/index.js';
import { lowestBits } from './word-bits.js';

/** Where the weights of a memory word lie in its data lanes of 32 bits. */
export interface WordLayout {
  readonly lanes: number;
  /** Weights of a memory word. */
  readonly weights: number;
  /** Bits that hold weights, the lowest of the word. */
  readonly bits: number;
  readonly weightsPerLane: number;
  /** The bits of a weight, at the lowest of a lane. */
  readonly weightMask: number;
  /** Of each lane the bits that hold weights. */
  readonly masks: Uint32Array;
  /** Whether all bits of all lanes hold weights. */
  readonly isFull: boolean;
}

/** @param placement of weights none of which takes several memory words (see `wholeWords`) */
export function wordLayout({ memory, weightBits }: Placement): WordLayout {
  const lanes = dataLanes(memory);
  const { perWord, usedBits } = wordSlots(memory, weightBits);
  const masks = Uint32Array.from({ length: lanes }, (_, lane) => lowestBits(usedBits - 32 * lane));
  return {
    lanes,
    weights: perWord,
    bits: usedBits,
    weightsPerLane: 32 / weightBits,
    weightMask: lowestBits(weightBits),
    masks,
    isFull: usedBits === 32 * lanes,
  };
}
