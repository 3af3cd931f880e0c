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
  const isStreamed = placement.kind === 'streamed';
  const [data, stored, read, raw, wrong, zeros] = Array.from(
    { length: 6 },
    () => new Uint32Array(lanes),
  );
  const gather = gathererOf(placed, words);
  const gatherZeros = zeroGathererOf(placed);
  const harden = hardenerOf(stages.hardened, placed);
  const deliver = delivererOf(stages.screens, placed, words);

  // Of the word at hand; outside the function, so that a word needs no function of its own.
  const now = { address: 0, fill: 0, transform: undefined as WordTransform | undefined };
  const zerosOfWord = () => {
    gatherZeros(now.address, now.fill, zeros);
    now.transform?.store(zeros);
    return zeros;
  };

  return (address, struck, invert, verdicts) => {
    const filled = occupancy(address * slots);
    const fills = isStreamed || filled === 0 ? filled : 1;
    let isAnyChanged = false;
    now.address = address;
    for (let fill = 0; fill < fills; fill++) {
      now.fill = fill;
      const faults = harden(address, fill, struck);
      gather(address, fill, data);
      const transform = at(stages.transform, address, fill);
      now.transform = transform;
      if (transform) transform.write(data, faults, stored);
      const written = transform ? stored : data;
      const { and, or, xor } = faults;
      for (let lane = 0; lane < lanes; lane++) {
        const word = ((written[lane] & and[lane]) | or[lane]) ^ xor[lane];
        raw[lane] = word;
        read[lane] = word;
      }
      const code = at(stages.code, address, fill);
      if (code) code.decode(written, read, faults, zerosOfWord, verdicts);
      if (transform) transform.read(read);
      if (!deliver(address, fill, data, read, invert)) continue;
      for (let lane = 0; lane < lanes; lane++) {
        wrong[lane] = (isAnyChanged ? wrong[lane] : 0) | (raw[lane] ^ written[lane]);
      }
      isAnyChanged = true;
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

/** A function that puts a memory word together; unused places hold 0. */
type Gatherer = (address: number, fill: number, to: Uint32Array) => void;

function gathererOf({ placement }: PlacedWeights, words: StoredWords): Gatherer {
  const { memory, weightBits, occupancy, weightAt, isInOrder } = placement;
  const slotsPerLane = 32 / weightBits;
  const lanes = memory.wordBits / 32;
  const bySlot: Gatherer = (address, fill, to) => {
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
  if (!isInOrder || words.byteOffset % 4 !== 0 || !isLittleEndian()) return bySlot;
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
        to.fill(0);
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
  const left = {
    and: new Uint32Array(lanes),
    or: new Uint32Array(lanes),
    xor: new Uint32Array(lanes),
  };
  const { and, or, xor } = left;
  return (address, fill, struck) => {
    for (let lane = 0; lane < lanes; lane++) {
      and[lane] = struck.and[lane];
      or[lane] = struck.or[lane];
      xor[lane] = struck.xor[lane];
    }
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
    return left;
  };
}

/** Tells which weights of a word are read differently; returns whether there is one. */
type Deliverer = (
  address: number,
  fill: number,
  data: Uint32Array,
  read: Uint32Array,
  invert: (weight: number, bits: number) => void,
) => boolean;

function delivererOf(
  screens: readonly WeightScreen[],
  { placement }: PlacedWeights,
  words: StoredWords,
): Deliverer {
  const { kind, isInOrder, weights, memory, weightBits, occupancy, weightAt } = placement;
  const slotsPerLane = 32 / weightBits;
  const lanes = memory.wordBits / 32;
  const weightMask = weightBits === 8 ? 0xff : 0xffffffff;
  const deliverWeight = (
    weight: number,
    readWord: number,
    invert: (weight: number, bits: number) => void,
  ): boolean => {
    let word = readWord;
    for (const screen of screens) word = screen(weight, word >>> 0);
    const bits = (word ^ words[weight]) & weightMask;
    if (bits !== 0) invert(weight, bits);
    return bits !== 0;
  };
  // In a resident memory every layer that shares a weight reads it.
  const readers = kind === 'streamed' ? () => 1 : occupancy;
  const deliverSlot = (
    slot: number,
    fill: number,
    word: number,
    invert: (weight: number, bits: number) => void,
  ): boolean => {
    if (isInOrder) return slot < weights && deliverWeight(slot, word, invert);
    if (fill >= occupancy(slot)) return false;
    let isChanged = false;
    for (let reader = 0; reader < readers(slot); reader++) {
      isChanged = deliverWeight(weightAt(slot, fill + reader), word, invert) || isChanged;
    }
    return isChanged;
  };
  return (address, fill, data, read, invert) => {
    let isChanged = false;
    for (let lane = 0; lane < lanes; lane++) {
      let different = data[lane] ^ read[lane];
      while (different !== 0) {
        const place = slotsPerLane === 1 ? 0 : (31 - Math.clz32(different)) >>> 3;
        const shift = place * weightBits;
        different &= ~(weightMask << shift);
        const slot = (address * lanes + lane) * slotsPerLane + place;
        const word = (read[lane] >>> shift) & weightMask;
        isChanged = deliverSlot(slot, fill, word, invert) || isChanged;
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
