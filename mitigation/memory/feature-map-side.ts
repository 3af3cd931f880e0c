import { InputError } from '../../core/index.js';
import type { FaultMap } from '../../fault/index.js';
import { layerIndex, type Network } from '../../models/index.js';
import {
  type FeatureMaps,
  forEachStruckWord,
  type ReadThrough,
  readMasked,
  type StoredTensor,
  type StoredWords,
  valueMasks,
  type WordFaults,
  withOneNaN,
  wordSlots,
} from '../../sim/index.js';
import type { KnownMaps } from './knowledge.js';
import { lineRepairOf } from './line-repair.js';
import { viewerOf } from './map-views.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights, Repairs } from './stages.js';
import { standsIn } from './standing.js';
import { createWordReader } from './word-reader.js';

/** What the feature-map memory makes of a fault map. */
export interface FeatureMapSide {
  /** Whether spare lines stand in it, so that there are repairs to tell of. */
  readonly hasSpareLines: boolean;
  /**
   * What is read of tensors, by index into `network.tensors`; those that no faulty cell can change are left out.
   *
   * @param repairs is added to: what spare lines make of banks with faulty cells
   * @param knownTo what parts know that are chosen for faulty cells
   */
  readsOf(map: FaultMap, knownTo: KnownMaps, repairs?: Repairs): Map<number, ReadThrough>;
}

/** Tensors of a network in the feature-map memory. */
export interface PlacedFeatureMaps {
  readonly network: Network;
  readonly featureMaps: FeatureMaps;
  /** Those whose faults count. */
  readonly tensors: readonly StoredTensor[];
}

/**
 * The feature-map memory with the memory parts of a mitigation. A word is encoded when a tensor is written and decoded
 * when it is read; the places of a word that the tensor does not fill hold 0.
 *
 * @throws InputError when a part cannot stand there
 */
export function featureMapSideOf(
  parts: readonly MemoryPart[],
  placed: PlacedFeatureMaps,
): FeatureMapSide {
  const { network, featureMaps, tensors } = placed;
  requireFitting(parts, placed);
  const first = { network, placement: featureMaps.tensors[0].placement };
  const repair = lineRepairOf(parts.map(everywhere), first);
  const viewsOf = viewerOf(parts);
  const readers = parts.every((part) => mechanismOf(part).spareLines)
    ? undefined
    : tensors.map((stored) => createTensorReader(parts, placed, stored));
  return {
    hasSpareLines: repair !== undefined,
    readsOf(map, knownTo, repairs) {
      let real = map;
      if (repair) {
        const views = viewsOf(map, knownTo);
        repair.choose(views.repair);
        real = repair.repaired(map, 0);
        if (repairs) repair.count(map, real, repairs);
      }
      if (!readers) {
        const masks = valueMasks(real, network, featureMaps, tensors);
        return new Map([...masks].map(([tensor, its]) => [tensor, readMasked(its)]));
      }
      const struck = struckWords(real, featureMaps);
      return new Map(
        readers.flatMap((readerOf, index) => {
          const read = readerOf(struck);
          return read ? [[tensors[index].tensor, read] as const] : [];
        }),
      );
    },
  };
}

/** @throws InputError when a part cannot stand in the memory */
function requireFitting(parts: readonly MemoryPart[], { network, featureMaps }: PlacedFeatureMaps) {
  for (const part of parts) {
    if (!standsIn(part, 'activations')) {
      throw new InputError(
        `${part.use} is made for the words of weights and cannot protect feature maps, whose words are not known before: leave it away, or give it to weights alone`,
      );
    }
    for (const name of part.layers ?? []) layerIndex(network, name);
  }
  const { wordsPerWeight } = wordSlots(featureMaps.memory, featureMaps.valueBits);
  if (parts.length > 0 && wordsPerWeight > 1) {
    throw new InputError(
      `${parts[0].use} cannot protect feature maps of which a value takes ${wordsPerWeight} words of ${featureMaps.memory.wordBits} bits: choose wordBits of at least ${featureMaps.valueBits} for featureMapMemory`,
    );
  }
}

/** A part without the layers that it is for: these choose tensors, not words. */
function everywhere<Part extends MemoryPart>(part: Part): Part {
  const { layers: _, ...rest } = part;
  return rest as Part;
}

/** A memory word with a faulty cell. */
interface StruckWord {
  readonly address: number;
  readonly faults: WordFaults;
}

function struckWords(map: FaultMap, { memory }: FeatureMaps): StruckWord[] {
  const words: StruckWord[] = [];
  forEachStruckWord(map, memory, (address, { and, or, xor }) => {
    words.push({ address, faults: { and: and.slice(), or: or.slice(), xor: xor.slice() } });
  });
  return words;
}

/** A function that gives, for struck words of the memory, what is read of a tensor; undefined: it has none of them. */
function createTensorReader(
  parts: readonly MemoryPart[],
  { network, featureMaps }: PlacedFeatureMaps,
  { tensor, layer, placement }: StoredTensor,
): (struck: readonly StruckWord[]) => ReadThrough | undefined {
  const own = parts
    .filter(({ layers }) => layers === undefined || (layer !== undefined && layers.includes(layer)))
    .map(everywhere);
  const { quantization } = network.tensors[tensor];
  // In the memory values are as ONNX files have them.
  const inFile = quantization?.signed ? 0x80 : 0;
  const words: StoredWords =
    featureMaps.valueBits === 8
      ? new Uint8Array(placement.weights)
      : new Uint32Array(placement.weights);
  const zeroWords = words.slice().fill((quantization?.zeroPoint ?? 0) ^ inFile);
  const placed: PlacedWeights = { network, placement, zeroWords };
  const read = createWordReader(own, placed, words);
  const { perWord } = wordSlots(featureMaps.memory, featureMaps.valueBits);
  return (struck) => {
    const its = struck.filter(({ address }) => placement.occupancy(address * perWord) > 0);
    if (its.length === 0) return undefined;
    const isFloat = words instanceof Uint32Array;
    return (image) => {
      for (let value = 0; value < words.length; value += 1) {
        if (isFloat) image[value] = withOneNaN(image[value]);
        words[value] = image[value] ^ inFile;
      }
      const invert = (value: number, bits: number) => {
        image[value] ^= bits;
      };
      for (const { address, faults } of its) {
        read(address, faults, faults, false, invert, undefined);
      }
    };
  };
}
