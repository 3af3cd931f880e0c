import { weightedLayers, wordMask } from '../../models/index.js';
import { firstWeightOfLayers, type StoredWords, type WordFaults } from '../../sim/index.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { type IsPlaced, placeOf, weightsOf } from './place.js';
import type { PlacedWeights, Verdicts, WeightScreen, WordCode, WordTransform } from './stages.js';

/**
 * Reads a memory word with faulty cells, once for each tile that fills it.
 *
 * @param invert is told of the weights that are read differently
 * @returns the faulty data cells that are read wrongly, where a weight of their word is read differently
 */
export type WordReader = (
  address: number,
  struck: WordFaults,
  invert: (weight: number, bits: number) => void,
  verdicts: Verdicts | undefined,
) => number;

/** A stage, and where it stands; undefined: everywhere. */
interface Placed<Stage> {
  readonly stage: Stage;
  readonly isPlaced: IsPlaced | undefined;
}

/** What the parts of a mitigation do, each at its moment. */
interface Stages {
  readonly hardened: readonly Placed<number>[];
  readonly transform: Placed<WordTransform> | undefined;
  readonly code: Placed<WordCode> | undefined;
  readonly screens: readonly WeightScreen[];
}

/**
 * A word is written: transformed, encoded, stored; and read: from its cells, decoded, transformed back, each weight
 * screened.
 *
 * @param words stored words of all weights
 */
export function createWordReader(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  words: StoredWords,
): WordReader {
  const { placement } = placed;
  const { memory, weightBits, occupancy } = placement;
  const stages = stagesOf(parts, placed);
  const lanes = memory.wordBits / 32;
  const slots = memory.wordBits / weightBits;
  const [data, stored, read, raw, wrong, zeros] = Array.from(
    { length: 6 },
    () => new Uint32Array(lanes),
  );
  const gather = gathererOf(placed);
  const zeroWords = zeroWordsOf(placed);
  const harden = hardenerOf(stages.hardened, placed);
  const deliver = delivererOf(stages.screens, placed, words);

  return (address, struck, invert, verdicts) => {
    const filled = occupancy(address * slots);
    const fills = placement.kind === 'streamed' ? filled : Math.min(1, filled);
    let isAnyChanged = false;
    for (let fill = 0; fill < fills; fill++) {
      const faults = harden(address, fill, struck);
      gather(words, address, fill, data);
      const transform = at(stages.transform, address, fill);
      if (transform) transform.write(data, faults, stored);
      else stored.set(data);
      for (let lane = 0; lane < lanes; lane++) {
        raw[lane] = ((stored[lane] & faults.and[lane]) | faults.or[lane]) ^ faults.xor[lane];
        read[lane] = raw[lane];
      }
      at(stages.code, address, fill)?.decode(
        stored,
        read,
        faults,
        () => {
          zeros.fill(0);
          if (zeroWords) gather(zeroWords, address, fill, zeros);
          transform?.store(zeros);
          return zeros;
        },
        verdicts,
      );
      transform?.read(read);
      if (!deliver(address, fill, data, read, invert)) continue;
      if (!isAnyChanged) wrong.fill(0);
      isAnyChanged = true;
      for (let lane = 0; lane < lanes; lane++) wrong[lane] |= raw[lane] ^ stored[lane];
    }
    return isAnyChanged ? onesOf(wrong) : 0;
  };
}

function stagesOf(parts: readonly MemoryPart[], placed: PlacedWeights): Stages {
  const each = <Stage>(stageOf: (part: MemoryPart) => Stage | undefined): Placed<Stage>[] =>
    parts.flatMap((part) => {
      const stage = stageOf(part);
      return stage === undefined ? [] : [{ stage, isPlaced: placeOf(part, placed) }];
    });
  return {
    hardened: each((part) => mechanismOf(part).hardenedBits?.(part, placed)),
    transform: each((part) => mechanismOf(part).transform?.(part, placed))[0],
    code: each((part) => mechanismOf(part).code?.(part, placed))[0],
    screens: parts.flatMap((part) => {
      const screen = mechanismOf(part).screen?.(part, placed);
      return screen ? [screenWithin(screen, part, placed)] : [];
    }),
  };
}

function at<Stage>(
  placed: Placed<Stage> | undefined,
  address: number,
  fill: number,
): Stage | undefined {
  if (!placed) return undefined;
  return !placed.isPlaced || placed.isPlaced(address, fill) ? placed.stage : undefined;
}

/** A screen stands behind the read of a weight: of its layers alone, whatever else is in their words. */
function screenWithin(screen: WeightScreen, part: MemoryPart, placed: PlacedWeights): WeightScreen {
  const isOfLayers = part.layers && weightsOf(part.layers, placed.network);
  const isOfBanks = placeOf({ banks: part.banks }, placed);
  if (!isOfLayers && !isOfBanks) return screen;
  const { slotOf, memory, weightBits } = placed.placement;
  const slots = memory.wordBits / weightBits;
  return (weight, word) => {
    if (isOfLayers && !isOfLayers(weight)) return word;
    if (isOfBanks && !isOfBanks(Math.floor(slotOf(weight) / slots), 0)) return word;
    return screen(weight, word);
  };
}

/** A function that puts the words of the weights in a memory word together; unused places hold 0. */
function gathererOf({ placement }: PlacedWeights) {
  const { memory, weightBits, occupancy, weightAt } = placement;
  const slotsPerLane = 32 / weightBits;
  const lanes = memory.wordBits / 32;
  return (words: StoredWords, address: number, fill: number, to: Uint32Array): void => {
    let slot = address * lanes * slotsPerLane;
    for (let lane = 0; lane < lanes; lane++) {
      let word = 0;
      for (let shift = 0; shift < 32; shift += weightBits) {
        if (fill < occupancy(slot)) word |= words[weightAt(slot, fill)] << shift;
        slot += 1;
      }
      to[lane] = word;
    }
  };
}

/** The word of each weight's zero point; undefined: all are 0. */
function zeroWordsOf({ network }: PlacedWeights): StoredWords | undefined {
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

/** A function that takes the faults of hardened cells out of those of a word. */
function hardenerOf(
  hardened: readonly Placed<number>[],
  { placement: { memory, weightBits } }: PlacedWeights,
): (address: number, fill: number, struck: WordFaults) => WordFaults {
  if (hardened.length === 0) return (_, __, struck) => struck;
  const dataLanes = memory.wordBits / 32;
  const lanes = dataLanes + Math.ceil((memory.checkBits ?? 0) / 32);
  const [and, or, xor] = Array.from({ length: 3 }, () => new Uint32Array(lanes));
  return (address, fill, struck) => {
    and.set(struck.and);
    or.set(struck.or);
    xor.set(struck.xor);
    for (const one of hardened) {
      const bits = at(one, address, fill);
      if (bits === undefined) continue;
      const mask = weightBits === 8 ? Math.imul(bits, 0x01010101) : bits;
      for (let lane = 0; lane < dataLanes; lane++) {
        and[lane] |= mask;
        or[lane] &= ~mask;
        xor[lane] &= ~mask;
      }
    }
    return { and, or, xor };
  };
}

/** A function that tells which weights of a word are read differently; returns whether there is one. */
function delivererOf(
  screens: readonly WeightScreen[],
  { placement }: PlacedWeights,
  words: StoredWords,
) {
  const { kind, memory, weightBits, occupancy, weightAt } = placement;
  const slotsPerLane = 32 / weightBits;
  const lanes = memory.wordBits / 32;
  const weightMask = weightBits === 8 ? 0xff : 0xffffffff;
  // In a resident memory every layer that shares a weight reads it.
  const readers = kind === 'streamed' ? () => 1 : occupancy;
  return (
    address: number,
    fill: number,
    data: Uint32Array,
    read: Uint32Array,
    invert: (weight: number, bits: number) => void,
  ): boolean => {
    let isChanged = false;
    for (let lane = 0; lane < lanes; lane++) {
      const different = data[lane] ^ read[lane];
      if (different === 0) continue;
      for (let place = 0; place < slotsPerLane; place++) {
        const shift = place * weightBits;
        if (((different >>> shift) & weightMask) === 0) continue;
        const slot = (address * lanes + lane) * slotsPerLane + place;
        if (fill >= occupancy(slot)) continue;
        for (let reader = 0; reader < readers(slot); reader++) {
          const weight = weightAt(slot, fill + reader);
          let word = (read[lane] >>> shift) & weightMask;
          for (const screen of screens) word = screen(weight, word >>> 0);
          const bits = (word ^ words[weight]) & weightMask;
          if (bits === 0) continue;
          invert(weight, bits);
          isChanged = true;
        }
      }
    }
    return isChanged;
  };
}

function onesOf(lanes: Uint32Array): number {
  let count = 0;
  for (let lane of lanes) {
    for (; lane !== 0; lane &= lane - 1) count += 1;
  }
  return count;
}
