import { weightedLayers, wordMask } from '../../models/index.js';
import {
  firstWeightOfLayers,
  type StoredWords,
  type WeightMemory,
  type WordFaults,
  wordLanes,
} from '../../sim/index.js';
import { checkCellsOf, firstBitIn } from './check-cells.js';
import { hardenerOf } from './hardened-cells.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { at, fillsOf, type Placed, placedStages, placeOf, weightsOf } from './place.js';
import type {
  CellCopies,
  PlacedWeights,
  Verdicts,
  WeightScreen,
  WordCode,
  WordMasking,
  WordTransform,
} from './stages.js';
import { noFaults } from './word-faults.js';
import { type WordLayout, wordLayout } from './word-layout.js';

/** Told of the bits of a weight that are read differently. */
export type InvertBits = (weight: number, bits: number) => void;

/**
 * Reads a memory word, once for each tile that fills it.
 *
 * @param struck the faulty cells that are there
 * @param known those that what is written in it is chosen for
 * @param isMasked whether it is read as zero where words are masked
 * @returns the faulty data cells that are read wrongly, where a weight of their word is read differently
 */
export type WordReader = (
  address: number,
  struck: WordFaults,
  known: WordFaults,
  isMasked: boolean,
  invert: InvertBits,
  verdicts: Verdicts | undefined,
) => number;

/** What the parts of a mitigation do, each at its moment. */
interface Stages {
  readonly masking: Placed<WordMasking> | undefined;
  readonly copies: Placed<CellCopies> | undefined;
  readonly transform: Placed<WordTransform> | undefined;
  readonly code: Placed<WordCode> | undefined;
  readonly screens: readonly WeightScreen[];
}

/**
 * A word is written: transformed, encoded, stored; and read: from its cells and their copies, decoded, transformed back,
 * each weight screened. A masked word is read as zero, and screened.
 *
 * @param words stored words of all weights
 */
export function createWordReader(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  words: StoredWords,
): WordReader {
  const { placement } = placed;
  const { memory } = placement;
  const stages = stagesOf(parts, placed);
  const layout = wordLayout(placement);
  const { lanes } = layout;
  const fillsAt = fillsOf(placement);
  const [data, encoded, stored, read, raw, wrong, zeros] = Array.from(
    { length: 7 },
    () => new Uint32Array(lanes),
  );
  const checkCells = checkCellsOf(parts, placed);
  const firstCopy = firstBitIn(memory, checkCells.get('copies'));
  const firstChoice = firstBitIn(memory, checkCells.get('transform'));
  const gather = gathererOf(placed, words);
  const gatherZeros = zeroGathererOf(placed);
  const harden = hardenerOf(parts, placed);
  const hardenKnown = hardenerOf(parts, placed);
  const deliver = delivererOf(stages.screens, placed, words);
  const usedBits = usedBitsOf(placed);
  const faultsOfWeights = layout.isFull ? unchanged : usedFaultsOf(memory, layout);

  // The word that is read, so that these functions are made once.
  let word = 0;
  let tile = 0;
  let writer: WordTransform | undefined;
  const zerosOf = () => {
    gatherZeros(word, tile, zeros);
    return zeros;
  };
  const storedZerosOf = () => {
    zerosOf();
    writer?.store(zeros);
    return zeros;
  };

  return (address, struck, known, isMasked, invert, verdicts) => {
    const fills = fillsAt(address);
    let isAnyChanged = false;
    for (let fill = 0; fill < fills; fill++) {
      word = address;
      tile = fill;
      const transform = at(stages.transform, address, fill);
      writer = transform;
      const code = at(stages.code, address, fill);
      // Check bits in the weights move with them.
      const isCodeInside = transform?.movesBits && code?.encode;
      const faults = harden(address, fill, struck);
      gather(address, fill, data);
      let written = data;
      if (isCodeInside) {
        written = encoded;
        encoded.set(data);
        code.encode?.(encoded);
      }
      if (transform) {
        const knownFaults = known === struck ? faults : hardenKnown(address, fill, known);
        transform.write(written, faultsOfWeights(knownFaults), faults, stored, firstChoice);
      }
      // Not `set`, which takes far longer for a few lanes.
      else for (let lane = 0; lane < lanes; lane++) stored[lane] = written[lane];
      if (!isCodeInside) code?.encode?.(stored);
      for (let lane = 0; lane < lanes; lane++) {
        raw[lane] = ((stored[lane] & faults.and[lane]) | faults.or[lane]) ^ faults.xor[lane];
        read[lane] = raw[lane];
      }
      if (isMasked && at(stages.masking, address, fill)) {
        zerosOf();
        for (let lane = 0; lane < lanes; lane++) read[lane] = zeros[lane];
      } else {
        at(stages.copies, address, fill)?.vote(stored, read, faults, firstCopy);
        if (isCodeInside) {
          transform.read(read);
          const moved = verdicts ? movedFaults(faults, transform, lanes) : faults;
          code.decode(encoded, read, moved, zerosOf, verdicts);
        } else {
          code?.decode(stored, read, faults, storedZerosOf, verdicts);
          transform?.read(read);
        }
      }
      if (!deliver(address, fill, data, read, invert)) continue;
      for (let lane = 0; lane < lanes; lane++) {
        const isWrong = (raw[lane] ^ stored[lane]) & usedBits(address, fill, lane);
        wrong[lane] = (isAnyChanged ? wrong[lane] : 0) | isWrong;
      }
      isAnyChanged = true;
    }
    return isAnyChanged ? onesOf(wrong) : 0;
  };
}

function unchanged(faults: WordFaults): WordFaults {
  return faults;
}

/** A function that leaves out the faults of unused cells; what it returns is valid until the next call. */
function usedFaultsOf(memory: WeightMemory, { masks }: WordLayout) {
  const used = noFaults(wordLanes(memory));
  return ({ and, or, xor }: WordFaults): WordFaults => {
    for (let lane = 0; lane < used.and.length; lane++) {
      const mask = lane < masks.length ? masks[lane] : 0xffffffff;
      used.and[lane] = and[lane] | ~mask;
      used.or[lane] = or[lane] & mask;
      used.xor[lane] = xor[lane] & mask;
    }
    return used;
  };
}

/** The faults of the data where a transform that moves bits puts them. */
function movedFaults(faults: WordFaults, transform: WordTransform, lanes: number): WordFaults {
  const { and, or, xor } = faults;
  const [movedAnd, movedOr, movedXor] = [and, or, xor].map((mask) => mask.slice(0, lanes));
  for (const mask of [movedAnd, movedOr, movedXor]) transform.read(mask);
  return { and: movedAnd, or: movedOr, xor: movedXor };
}

function stagesOf(parts: readonly MemoryPart[], placed: PlacedWeights): Stages {
  const each = <Stage>(stageOf: (part: MemoryPart) => Stage | undefined) =>
    placedStages(parts, placed, stageOf);
  return {
    masking: each((part) => mechanismOf(part).masking?.(part, placed))[0],
    copies: each((part) => mechanismOf(part).copies?.(part, placed))[0],
    transform: each((part) => mechanismOf(part).transform?.(part, placed))[0],
    code: each((part) => mechanismOf(part).code?.(part, placed))[0],
    screens: parts.flatMap((part) => {
      const screen = mechanismOf(part).screen?.(part, placed);
      return screen ? [screenWithin(screen, part, placed)] : [];
    }),
  };
}

/** A screen stands behind the read of a weight: of its layers alone, whatever else is in their words. */
function screenWithin(screen: WeightScreen, part: MemoryPart, placed: PlacedWeights): WeightScreen {
  const isOfLayers = part.layers && weightsOf(part.layers, placed.network);
  const isOfBanks = placeOf({ banks: part.banks }, placed);
  if (!isOfLayers && !isOfBanks) return screen;
  const { slotOf } = placed.placement;
  const slots = wordLayout(placed.placement).weights;
  return (weight, word) => {
    if (isOfLayers && !isOfLayers(weight)) return word;
    if (isOfBanks && !isOfBanks(Math.floor(slotOf(weight) / slots), 0)) return word;
    return screen(weight, word);
  };
}

/** A function that tells the bits of a lane that hold weights; slots are filled one after the other. */
function usedBitsOf({ placement }: PlacedWeights) {
  const { weightBits, occupancy, isInOrder, weights } = placement;
  const { weights: slots, weightsPerLane, weightMask, masks } = wordLayout(placement);
  return (address: number, fill: number, lane: number): number => {
    const slotsOfLane = Math.min(weightsPerLane, slots - lane * weightsPerLane);
    if (slotsOfLane <= 0) return 0;
    const first = address * slots + lane * weightsPerLane;
    if (isInOrder && first + slotsOfLane <= weights) return masks[lane];
    if (fill < occupancy(first + slotsOfLane - 1)) return masks[lane];
    let used = 0;
    for (let place = 0; place < slotsOfLane; place++) {
      if (fill < occupancy(first + place)) used |= weightMask << (place * weightBits);
    }
    return used;
  };
}

/** A function that puts a memory word together; unused places hold 0. */
type Gatherer = (address: number, fill: number, to: Uint32Array) => void;

function gathererOf({ placement }: PlacedWeights, words: StoredWords): Gatherer {
  const { weightBits, occupancy, weightAt, isInOrder } = placement;
  const { lanes, weights: slots, isFull } = wordLayout(placement);
  const bySlot: Gatherer = (address, fill, to) => {
    let slot = address * slots;
    const end = slot + slots;
    for (let lane = 0; lane < lanes; lane++) {
      let word = 0;
      for (let shift = 0; shift < 32 && slot < end; shift += weightBits) {
        if (fill < occupancy(slot)) word |= words[weightAt(slot, fill)] << shift;
        slot += 1;
      }
      to[lane] = word;
    }
  };
  const isAligned = isFull && words.byteOffset % 4 === 0;
  if (!isInOrder || !isAligned || !isLittleEndian()) return bySlot;
  // The words lie in the memory as they lie here.
  const wholeLanes = Math.floor(words.byteLength / 4);
  const inLanes = new Uint32Array(words.buffer, words.byteOffset, wholeLanes);
  return (address, fill, to) => {
    const first = address * lanes;
    if (first + lanes > wholeLanes) {
      bySlot(address, fill, to);
      return;
    }
    for (let lane = 0; lane < lanes; lane++) to[lane] = inLanes[first + lane];
  };
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
}

/** Gathers the words of the weights' zero points. */
function zeroGathererOf(placed: PlacedWeights): Gatherer {
  const words = zeroWordsOf(placed);
  return words
    ? gathererOf(placed, words)
    : (_, __, to) => {
        for (let lane = 0; lane < to.length; lane++) to[lane] = 0;
      };
}

/** The word of each weight's zero point; undefined: all are 0. */
function zeroWordsOf({ network, zeroWords }: PlacedWeights): StoredWords | undefined {
  if (zeroWords) return zeroWords;
  if (network.format === 'float32') return undefined;
  const layers = weightedLayers(network);
  const isZero = layers.every(
    (layer) => wordMask(layer) === 0 && layer.zeroPoints.every((zero) => zero === 0),
  );
  if (isZero) return undefined;
  const first = firstWeightOfLayers(network);
  const words = new Uint8Array(first[layers.length]);
  for (const [index, layer] of layers.entries()) {
    const window = layer.weights.length / layer.shape.output.channels;
    for (const [channel, zero] of layer.zeroPoints.entries()) {
      const start = first[index] + channel * window;
      words.fill((zero & 0xff) ^ wordMask(layer), start, start + window);
    }
  }
  return words;
}

/** Tells which weights of a word are read differently; returns whether there is one. */
type Deliverer = (
  address: number,
  fill: number,
  data: Uint32Array,
  read: Uint32Array,
  invert: InvertBits,
) => boolean;

function delivererOf(
  screens: readonly WeightScreen[],
  { placement }: PlacedWeights,
  words: StoredWords,
): Deliverer {
  const { kind, isInOrder, weights, weightBits, occupancy, weightAt } = placement;
  const layout = wordLayout(placement);
  const { lanes, weights: slotsPerWord, weightsPerLane: slotsPerLane, weightMask, masks } = layout;
  const deliverWeight = (weight: number, readWord: number, invert: InvertBits): boolean => {
    let word = readWord;
    for (const screen of screens) word = screen(weight, word >>> 0);
    const bits = (word ^ words[weight]) & weightMask;
    if (bits !== 0) invert(weight, bits);
    return bits !== 0;
  };
  // In a resident memory every layer that shares a weight reads it.
  const readers = kind === 'streamed' ? () => 1 : occupancy;
  const deliverSlot = (slot: number, fill: number, word: number, invert: InvertBits): boolean => {
    if (isInOrder) return slot < weights && deliverWeight(slot, word, invert);
    if (fill >= occupancy(slot)) return false;
    let isChanged = false;
    for (let reader = 0; reader < readers(slot); reader++) {
      isChanged = deliverWeight(weightAt(slot, fill + reader), word, invert) || isChanged;
    }
    return isChanged;
  };
  if (isInOrder && screens.length === 0) {
    return (address, _, data, read, invert) => {
      let isChanged = false;
      const end = Math.min(weights, (address + 1) * slotsPerWord);
      for (let weight = address * slotsPerWord, lane = 0; weight < end; lane++) {
        const different = data[lane] ^ read[lane];
        const endOfLane = Math.min(end, weight + slotsPerLane);
        for (let shift = 0; weight < endOfLane; weight++, shift += weightBits) {
          const bits = (different >>> shift) & weightMask;
          if (bits === 0) continue;
          invert(weight, bits);
          isChanged = true;
        }
      }
      return isChanged;
    };
  }
  return (address, fill, data, read, invert) => {
    let isChanged = false;
    for (let lane = 0; lane < lanes; lane++) {
      let different = (data[lane] ^ read[lane]) & masks[lane];
      while (different !== 0) {
        const place = slotsPerLane === 1 ? 0 : (31 - Math.clz32(different)) >>> 3;
        const shift = place * weightBits;
        different &= ~(weightMask << shift);
        const slot = address * slotsPerWord + lane * slotsPerLane + place;
        const word = (read[lane] >>> shift) & weightMask;
        isChanged = deliverSlot(slot, fill, word, invert) || isChanged;
      }
    }
    return isChanged;
  };
}

function onesOf(lanes: Uint32Array): number {
  let count = 0;
  for (let lane = 0; lane < lanes.length; lane++) {
    // Sums of neighbouring bits, pairs, halves of bytes, bytes.
    const pairs = lanes[lane] - ((lanes[lane] >>> 1) & 0x55555555);
    const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
    count += Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}
