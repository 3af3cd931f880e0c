import { fc } from '@fast-check/vitest';
import { type ConvolutionShape, windowSize } from '../../core/index.js';
import { type Cell, cellCount, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import {
  memoryGeometry,
  type Placement,
  type SystolicArray,
  type WeightMemory,
} from '../../sim/index.js';

/** Numbers of the weights in the order of the stream, from the loops that define it. */
export function enumerateStream(
  shapes: readonly ConvolutionShape[],
  { rows, columns, dataflow }: SystolicArray,
): number[] {
  const stream: number[] = [];
  let matrixStart = 0;
  for (const shape of shapes) {
    const window = windowSize(shape);
    const filters = shape.output.channels / shape.groups;
    for (let group = 0; group < shape.groups; group++) {
      const read = (n: number, k: number) => stream.push(matrixStart + n * window + k);
      switch (dataflow) {
        case 'weight-stationary':
          for (const filterFold of folds(filters, columns)) {
            for (const windowFold of folds(window, rows)) {
              for (const k of windowFold) for (const n of filterFold) read(n, k);
            }
          }
          break;
        case 'output-stationary':
          for (const filterFold of folds(filters, columns)) {
            for (let k = 0; k < window; k++) for (const n of filterFold) read(n, k);
          }
          break;
        case 'input-stationary':
          for (const windowFold of folds(window, rows)) {
            for (let n = 0; n < filters; n++) for (const k of windowFold) read(n, k);
          }
      }
      matrixStart += filters * window;
    }
  }
  return stream;
}

function folds(extent: number, width: number): number[][] {
  const indices = Array.from({ length: extent }, (_, index) => index);
  return Array.from({ length: Math.ceil(extent / width) }, (_, fold) =>
    indices.slice(fold * width, (fold + 1) * width),
  );
}

/** The cell of a memory bit, word for word as the address functions are defined. */
export function definedCell(memory: WeightMemory, address: bigint, bit: bigint): Cell {
  const mux = BigInt(memory.columnMux);
  const rows = BigInt(memory.rows);
  return {
    bank: Number(address / (mux * rows)),
    row: Number((address / mux) % rows),
    column: Number(bit * mux + (address % mux)),
  };
}

/** The word bit that holds a bit of a slot: whole weights in a word, or one in whole words, its lowest bits first. */
export function definedPlace(
  wordBits: bigint,
  weightBits: bigint,
  slot: bigint,
  bit: bigint,
): { address: bigint; bit: bigint } {
  if (wordBits < weightBits) {
    const words = weightBits / wordBits;
    return { address: slot * words + bit / wordBits, bit: bit % wordBits };
  }
  const perWord = wordBits / weightBits;
  return { address: slot / perWord, bit: (slot % perWord) * weightBits + bit };
}

/** The slot of each weight, from the definition of the placements. */
export function definedSlots(placement: Placement, stream: readonly number[]): number[] {
  if (placement.kind === 'resident') return Array.from({ length: placement.weights }, (_, i) => i);
  const { banks, rows, columnMux, wordBits } = placement.memory;
  const perWord = wordBits / placement.weightBits;
  const half = (banks * rows * columnMux * (perWord < 1 ? perWord : Math.floor(perWord))) / 2;
  const slots = new Array<number>(placement.weights);
  for (const [position, weight] of stream.entries()) {
    const tile = Math.floor(position / half);
    slots[weight] = (tile % 2) * half + (position % half);
  }
  return slots;
}

/** `applyFaultMap` by asking every weight for its cells. */
export function patchesByWalkingWeights(
  map: FaultMap,
  placement: Placement,
  slots: readonly number[],
  words: Uint8Array | Uint32Array,
): { weights: number[]; words: number[]; effectiveFaults: number } {
  const key = ({ bank, row, column }: Cell) => `${bank},${row},${column}`;
  const kinds = new Map<string, string>();
  for (const [fault, cell] of map.cells.entries()) {
    const { rows, columns } = map.geometry;
    const index = BigInt(cell);
    const line = index / BigInt(columns);
    const bank = Number(line / BigInt(rows));
    const row = Number(line % BigInt(rows));
    const column = Number(index % BigInt(columns));
    kinds.set(key({ bank, row, column }), FAULT_KINDS[map.kinds[fault]]);
  }
  const { memory, weightBits } = placement;
  const wordBits = BigInt(memory.wordBits);
  const effective = new Set<string>();
  const patches: { weight: number; word: number }[] = [];
  for (let weight = 0; weight < placement.weights; weight++) {
    const slot = BigInt(slots[weight]);
    let word = BigInt(words[weight]);
    for (let bit = 0n; bit < BigInt(weightBits); bit++) {
      const place = definedPlace(wordBits, BigInt(weightBits), slot, bit);
      const cell = key(definedCell(memory, place.address, place.bit));
      const mask = 1n << bit;
      const before = word;
      const kind = kinds.get(cell);
      if (kind === 'stuck-at-0') word &= ~mask;
      if (kind === 'stuck-at-1') word |= mask;
      if (kind === 'flip') word ^= mask;
      if (word !== before) effective.add(cell);
    }
    if (word !== BigInt(words[weight])) patches.push({ weight, word: Number(word) });
  }
  return {
    weights: patches.map(({ weight }) => weight),
    words: patches.map(({ word }) => word),
    effectiveFaults: effective.size,
  };
}

/** Fault maps of a memory, from empty to a third of its cells. */
export function faultMapsOf(memory: WeightMemory): fc.Arbitrary<FaultMap> {
  const geometry = memoryGeometry(memory);
  const cells = cellCount(geometry);
  return fc
    .uniqueArray(
      fc.record({
        cell: fc.integer({ min: 0, max: cells - 1 }),
        kind: fc.nat({ max: FAULT_KINDS.length - 1 }),
      }),
      { selector: ({ cell }) => cell, maxLength: Math.ceil(cells / 3), size: 'max' },
    )
    .map((faults) => {
      const sorted = faults.toSorted((a, b) => a.cell - b.cell);
      return {
        geometry,
        cells: Float64Array.from(sorted, ({ cell }) => cell),
        kinds: Uint8Array.from(sorted, ({ kind }) => kind),
        provenance: { source: 'file', file: 'arbitrary' },
      };
    });
}

/** Random stored words. */
export function storedWordsOf(
  weights: number,
  weightBits: 8 | 32,
): fc.Arbitrary<Uint8Array | Uint32Array> {
  const length = { minLength: weights, maxLength: weights };
  return weightBits === 8 ? fc.uint8Array(length) : fc.uint32Array(length);
}
