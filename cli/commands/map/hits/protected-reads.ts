import { knownMapsOfFile } from '../../../../campaign/index.js';
import type { FaultMap } from '../../../../fault/index.js';
import {
  type Mitigation,
  memoryPartsOf,
  memorySideOf,
  type Repairs,
  unmeasuredCells,
  type Verdicts,
} from '../../../../mitigation/index.js';
import { type Network, WORD_BITS } from '../../../../models/index.js';
import { type Placement, storedWords, weightLocator } from '../../../../sim/index.js';
import { grouped } from '../../../print/table.js';

/** A weight that is read differently under a mitigation, also one without a faulty cell of its own. */
export interface ChangedRead {
  readonly weight: number;
  readonly tile: number;
  readonly layer: string;
  /** In hexadecimal. */
  readonly storedWord: string;
  readonly readWord: string;
}

/** What a weight memory makes of a fault map under a mitigation. */
export interface ProtectedReads {
  /** How many weights are read differently. */
  readonly count: number;
  changed(): Generator<ChangedRead, void, undefined>;
  /** Of the code words with a faulty cell. */
  readonly verdicts: Verdicts;
  /** Of the banks with a faulty cell; undefined: there are no spare lines. */
  readonly repairs: Repairs | undefined;
  /** What of it the map does not tell. */
  readonly remarks: readonly string[];
}

/** @throws InputError when the mitigation does not fit the network or its memory */
export function protectedReads(
  mitigation: Mitigation,
  map: FaultMap,
  network: Network,
  placement: Placement,
): ProtectedReads {
  const parts = memoryPartsOf(mitigation);
  const words = storedWords(network);
  const verdicts = { noError: 0, corrected: 0, detected: 0, miscorrected: 0, undetected: 0 };
  const side = memorySideOf(parts, { network, placement }, words);
  const repairs = { banks: 0, repaired: 0, notProvedOptimal: 0, uncoveredCells: 0 };
  const patches = side.patchesOf(map, undefined, verdicts, repairs, knownMapsOfFile(map));
  const digits = WORD_BITS[network.format] / 4;
  const wordText = (word: number) => `0x${word.toString(16).padStart(digits, '0')}`;
  const locate = weightLocator(network);
  return {
    count: patches.weights.length,
    *changed() {
      for (const [place, weight] of patches.weights.entries()) {
        yield {
          weight,
          tile: side.placement.tileOf(weight),
          layer: locate(weight).layer,
          storedWord: wordText(words[weight]),
          readWord: wordText(patches.words[place]),
        };
      }
    },
    verdicts,
    repairs: side.hasSpareLines ? repairs : undefined,
    remarks: [
      ...(parts.some(({ use }) => use === 'reorder')
        ? [
            'the cells are listed with the weights of the network as it is: reorder keeps others in them',
          ]
        : []),
      ...unmeasuredCells(parts, { network, placement }),
      ...(parts.length < mitigation.parts.length
        ? ['what stands behind the accumulators changes no word']
        : []),
    ],
  };
}

/** The reads in a paragraph. */
export function readsText(mitigation: Mitigation, reads: ProtectedReads): string {
  const { noError, corrected, detected, miscorrected, undetected } = reads.verdicts;
  const total = noError + corrected + detected + miscorrected + undetected;
  const verdicts =
    total === 0
      ? []
      : [
          `Code words with faulty cells: ${grouped(noError)} without an error, ${grouped(corrected)} corrected, ${grouped(detected)} detected, ${grouped(miscorrected)} miscorrected, ${grouped(undetected)} undetected.`,
        ];
  return [
    `With ${mitigation.name}, ${grouped(reads.count)} weights are read differently.`,
    ...verdicts,
    ...(reads.repairs ? [repairsText(reads.repairs)] : []),
    ...reads.remarks.map((remark) => `Note: ${remark}.`),
  ].join('\n');
}

/** What spare lines made of banks, in a sentence. */
function repairsText({
  banks,
  repaired,
  notProvedOptimal,
  uncoveredCells,
}: Readonly<Repairs>): string {
  return `Banks with faulty cells: ${grouped(banks)}, of them ${grouped(repaired)} repaired, ${grouped(notProvedOptimal)} not proved optimal; ${grouped(uncoveredCells)} faulty cells are left.`;
}
