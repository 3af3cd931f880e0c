import { fc } from '@fast-check/vitest';
import { fullyConnectedShape } from '../../../core/index.js';
import { FAULT_KINDS, type FaultKind, type FaultMap } from '../../../fault/index.js';
import type { MemoryPart, PlacedWeights } from '../../../mitigation/index.js';
import { dequantize, type Int8Layer, type Int8Network } from '../../../models/index.js';
import {
  defineWeightMemory,
  type Placement,
  placeNetwork,
  slotCount,
  type WeightMemory,
  type WeightPatches,
} from '../../../sim/index.js';
import { faultMapsOf } from '../../sim/reference.js';

/** Inputs and outputs of the layers `fc1` and `fc2`. */
const LAYERS = [
  [9, 6],
  [6, 5],
] as const;

/** A network of 84 weights in any range. */
const int8Networks: fc.Arbitrary<Int8Network> = fc
  .tuple(fc.infiniteStream(fc.integer({ min: -128, max: 127 })), fc.constantFrom(0, 0, -3, 100))
  .map(([weights, zeroPoint]) => {
    const draw = () => weights.next().value ?? 0;
    return {
      name: 'tiny',
      checksum: '',
      format: 'int8',
      input: 0,
      output: LAYERS.length,
      tensors: [LAYERS[0][0], ...LAYERS.map(([, outputs]) => outputs)].map((channels, index) => ({
        name: `tensor${index}`,
        shape: { channels, height: 1, width: 1 },
        quantization: { scale: 1 / 64, zeroPoint: 0 },
      })),
      layers: LAYERS.map(
        ([inputs, outputs], index): Int8Layer => ({
          kind: 'fully-connected',
          name: `fc${index + 1}`,
          input: index,
          output: index + 1,
          shape: fullyConnectedShape(inputs, outputs),
          relu: false,
          weights: Int8Array.from({ length: inputs * outputs }, draw),
          scales: new Float32Array(outputs).fill(1 / 64),
          zeroPoints: new Int32Array(outputs).fill(zeroPoint),
          bias: new Int32Array(outputs),
        }),
      ),
    };
  });

/** The network with the weights of one layer in uint8 words. */
export function withUint8Words({ network, placement }: PlacedWeights): PlacedWeights {
  if (network.format !== 'int8') throw new Error('only int8 networks have uint8 words');
  const layers = network.layers.map((layer) =>
    layer.name === 'fc2' ? ({ ...layer, unsignedWeights: true } as Int8Layer) : layer,
  );
  return { network: { ...network, layers }, placement };
}

/** A network in a memory with a fault map. */
export interface PlacedCase {
  readonly placed: PlacedWeights;
  readonly map: FaultMap;
}

/**
 * A tiny network, resident or streamed through a smaller memory, and a map of few or many faulty cells.
 *
 * @param extras what the memory has beside its data
 */
export function placedCases(
  format: 'int8' | 'float32',
  extras: Partial<WeightMemory> = {},
  widths: readonly number[] = [64, 128],
): fc.Arbitrary<PlacedCase> {
  const bits = format === 'int8' ? 8 : 32;
  return fc
    .record({
      network: int8Networks,
      kind: fc.constantFrom<Placement['kind']>('resident', 'streamed'),
      wordBits: fc.constantFrom(...widths),
      columnMux: fc.constantFrom(1, 2, 4),
      rows: fc.constantFrom(2, 4),
    })
    .filter(
      ({ rows, columnMux, wordBits }) =>
        ((rows * columnMux * wordBits) / bits) % 1 === 0 || wordBits > bits,
    )
    .chain(({ network, kind, ...sizes }) => {
      const perBank = slotCount({ banks: 1, ...sizes }, bits);
      const banks = kind === 'resident' ? Math.ceil(84 / perBank) + 1 : 2;
      const placedNetwork = format === 'int8' ? network : dequantize(network);
      const placement = placeNetwork(
        placedNetwork,
        {
          name: 'tiny',
          array: { rows: 4, columns: 4, dataflow: 'weight-stationary' },
          weightMemory: defineWeightMemory({ banks, ...sizes, ...extras }),
        },
        kind,
      );
      return fc.record({
        placed: fc.constant({ network: placedNetwork, placement }),
        map: faultMapsOf(placement.memory),
      });
    });
}

/** The map with some of its faults. */
export function faultsWhere(
  map: FaultMap,
  isKept: (cell: number, kind: FaultKind) => boolean,
): FaultMap {
  const kept = [...map.cells.keys()].filter((fault) =>
    isKept(map.cells[fault], FAULT_KINDS[map.kinds[fault]]),
  );
  return {
    ...map,
    cells: Float64Array.from(kept, (fault) => map.cells[fault]),
    kinds: Uint8Array.from(kept, (fault) => map.kinds[fault]),
  };
}

export function plain({ weights, words }: Pick<WeightPatches, 'weights' | 'words'>) {
  return { weights: [...weights], words: [...words] };
}

/** Mechanisms that stand in any memory of 64-bit words, by the words of their weights. */
export const PARTS: Readonly<Record<'int8' | 'float32', readonly MemoryPart[]>> = {
  int8: [
    { use: 'spares' },
    { use: 'word-masking', unit: 'row', spareWords: 1 },
    { use: 'harden' },
    { use: 'tmr' },
    { use: 'secded' },
    { use: 'bch-dec', onDetect: 'zero' },
    { use: 'parity' },
    { use: 'in-place-ecc' },
    { use: 'rotate' },
    { use: 'invert' },
    { use: 'closest-value' },
    { use: 'reorder' },
    { use: 'range-check', granularity: 'channel' },
  ],
  float32: [
    { use: 'spares', rows: 2, columns: 1 },
    { use: 'word-masking' },
    { use: 'harden' },
    { use: 'tmr', bits: [30, 31, 23] },
    { use: 'secded', dataBits: 32, onDetect: 'zero' },
    { use: 'bch-dec' },
    { use: 'parity', group: 'weight' },
    { use: 'mset' },
    { use: 'cep', chunk: 3 },
    { use: 'rotate', by: 'data' },
    { use: 'invert', group: 'word' },
    { use: 'closest-value' },
    { use: 'reorder' },
    { use: 'range-check' },
  ],
};
