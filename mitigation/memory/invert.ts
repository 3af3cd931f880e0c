import { z } from 'zod';
import { NOTHING } from '../price/price.js';
import type { WeightBits } from './bit-costs.js';
import {
  chooseInversion,
  chooseReadableInversion,
  type InversionGroup,
} from './inversion-flags.js';
import { KNOWS, KNOWS_FORMS, type PartKnowledge } from './knowledge.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';
import { CHOSEN_FOR_TILES } from './tile-choice.js';
import { readBitsInto } from './word-bits.js';
import { wordLayout } from './word-layout.js';

/**
 * A word with the groups inverted whose flag is set: as it is stored, or, of what is read, as it is delivered.
 * @param to may be `from`
 */
export function invertGroups(
  from: Uint32Array,
  to: Uint32Array,
  lanes: number,
  weightBits: WeightBits,
  group: InversionGroup,
  flags: Uint32Array,
): void {
  if (group === 'word') {
    const inverted = -(flags[0] & 1);
    for (let lane = 0; lane < lanes; lane += 1) to[lane] = from[lane] ^ inverted;
  } else if (weightBits === 32) {
    for (let lane = 0; lane < lanes; lane += 1) {
      to[lane] = from[lane] ^ -((flags[lane >>> 5] >>> (lane & 31)) & 1);
    }
  } else {
    for (let lane = 0; lane < lanes; lane += 1) {
      to[lane] = from[lane] ^ flaggedBytes((flags[lane >>> 3] >>> ((lane & 7) * 4)) & 0xf);
    }
  }
}

/** Four bytes, each all ones where its flag is set. */
function flaggedBytes(flags: number): number {
  // Flag b to bit 8b, then eight times beside itself.
  return Math.imul(Math.imul(flags, 0x00204081) & 0x01010101, 0xff);
}

/** Inversion of weights or of memory words. */
export interface InvertPart extends PartPlace, PartMetadata, PartKnowledge {
  readonly use: 'invert';
  /** What has a flag of its own; default: weight. */
  readonly group?: InversionGroup | undefined;
}

export const invert: MemoryMechanism<InvertPart> = {
  summary: 'a weight, or a word, is stored inverted where its faulty cells then do less harm',
  group: 'transform',
  knowsMap: true,
  parameters: { group: 'word', ...METADATA_FORMS, ...KNOWS_FORMS, ...PLACE_FORMS },
  defaults: { group: 'weight', ...METADATA_DEFAULTS },
  schema: z.strictObject({
    use: z.literal('invert'),
    group: z
      .enum(['weight', 'word'])
      .optional()
      .describe('what has a flag of its own; default: weight'),
    ...METADATA,
    ...KNOWS,
    ...PLACE,
  }),
  transform({ group = 'weight' }, { placement }) {
    const { weightBits } = placement;
    const { lanes: dataLanes, weights } = wordLayout(placement);
    const checkBits = group === 'word' ? 1 : weights;
    const [inverted, written, undone] = Array.from(
      { length: 3 },
      () => new Uint32Array(Math.ceil(dataLanes / weightBits)),
    );
    return {
      checkBits,
      movesBits: false,
      write(data, known, faults, stored, firstBit) {
        if (firstBit === undefined) {
          chooseInversion(data, known, weightBits, group, inverted);
          for (let entry = 0; entry < undone.length; entry++) undone[entry] = inverted[entry];
        } else {
          chooseReadableInversion(data, known, weightBits, group, firstBit, inverted);
          readBitsInto(written, known, firstBit, checkBits, inverted);
          readBitsInto(undone, faults, firstBit, checkBits, written);
        }
        invertGroups(data, stored, data.length, weightBits, group, inverted);
      },
      store: (lanes) => invertGroups(lanes, lanes, lanes.length, weightBits, group, undone),
      read: (lanes) => invertGroups(lanes, lanes, lanes.length, weightBits, group, undone),
    };
  },
  price(part, { placement }, figures) {
    const { group = 'weight' } = part;
    const { kind, memory } = placement;
    const { weights, bits } = wordLayout(placement);
    const perWord = group === 'word' ? 1 : weights;
    const inverted = group === 'word' ? memory.wordBits : bits;
    const price = {
      ...NOTHING,
      cells: [{ hold: 'inversion flags', perWord }],
      // A bit and its flag, in writing and in reading.
      xorGates: { encoder: inverted, syndrome: 0, corrector: inverted },
      levels: 1,
      cycles: kind === 'streamed' ? CHOSEN_FOR_TILES : 0,
    };
    return withMetadata(part, price, figures);
  },
};
