import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { featureCount } from '../../core/index.js';
import { FAULT_KINDS } from '../../fault/index.js';
import { createReferenceBackend, loadKernels } from '../../kernels/index.js';
import { inputsOf } from '../../models/index.js';
import {
  createDatapath,
  createNetworkDatapath,
  readMasked,
  valueHits,
  valueMasks,
} from '../../sim/index.js';
import { xorshift } from '../../testing/index.js';
import {
  definedValueCells,
  heldTensors,
  placedFeatureMaps,
  randomMap,
  randomWords,
} from './placed-feature-maps.js';
import { bitsOf, drawOf, randomImages, randomUnits, seeds } from './storage-networks.js';

const kernels = loadKernels();

const cases = fc.tuple(placedFeatureMaps(), seeds);

/** One stored word through its faulty cells; a float32 NaN is stored as one of its many. */
function readWord(word: number, bits: readonly (number | undefined)[], inFile: number): number {
  const isNaNWord = bits.length === 32 && (word & 0x7fffffff) > 0x7f800000;
  let stored = BigInt(isNaNWord ? 0x7fc00000 : word) ^ BigInt(inFile);
  for (const [bit, kind] of bits.entries()) {
    const mask = 1n << BigInt(bit);
    if (kind === undefined) continue;
    if (FAULT_KINDS[kind] === 'stuck-at-0') stored &= ~mask;
    else if (FAULT_KINDS[kind] === 'stuck-at-1') stored |= mask;
    else stored ^= mask;
  }
  return Number(stored ^ BigInt(inFile));
}

describe('the feature-map memory', () => {
  property.prop([cases], { numRuns: 60 })(
    'holds the input and what layers hand on, each from a word on, or in its half',
    ([{ network, featureMaps }]) => {
      expect(featureMaps.tensors.map(({ tensor, layer }) => ({ tensor, layer }))).toEqual(
        heldTensors(network),
      );
      for (const [index, { placement }] of featureMaps.tensors.entries()) {
        const slots = definedValueCells(featureMaps, network, index).map(({ slot }) => slot);
        const bySlot = new Map<number, number[]>();
        for (const [value, slot] of slots.entries()) {
          expect(placement.slotOf(value)).toBe(slot);
          const its = bySlot.get(slot) ?? [];
          expect(placement.tileOf(value)).toBe(its.length);
          bySlot.set(slot, [...its, value]);
        }
        expect(placement.weights).toBe(slots.length);
        for (const slot of [...bySlot.keys()].flatMap((one) => [one - 1, one, one + 1])) {
          const values = bySlot.get(slot) ?? [];
          expect(placement.occupancy(slot)).toBe(values.length);
          expect(values.map((_, turn) => placement.weightAt(slot, turn))).toEqual(values);
        }
      }
    },
  );

  property.prop([cases], { numRuns: 60 })(
    'is read through its faulty cells, bit by bit',
    ([{ network, featureMaps }, seed]) => {
      const random = xorshift(seed);
      const map = randomMap(featureMaps.geometry, random);
      const kindOf = new Map([...map.cells].map((cell, fault) => [cell, map.kinds[fault]]));
      // Inputs alone, activations alone, or both: those that are not meant are read as they are.
      const meant = featureMaps.tensors.filter(() => random() < 0.7);
      const masks = valueMasks(map, network, featureMaps, meant);
      const hits = [...valueHits(map, featureMaps, meant)];
      let found = 0;
      for (const [index, stored] of featureMaps.tensors.entries()) {
        const cells = definedValueCells(featureMaps, network, index).map((value) => value.cells);
        const isMeant = meant.includes(stored);
        const faulty = cells.map((its) => its.map((cell) => kindOf.get(cell)));
        const struck = faulty.flat().filter((kind) => kind !== undefined).length;
        expect(masks.has(stored.tensor)).toBe(isMeant && struck > 0);
        if (!isMeant) continue;
        found += struck;
        const before = randomWords(featureMaps.valueBits, cells.length, random);
        const after = before.slice();
        const its = masks.get(stored.tensor);
        if (its) readMasked(its)(after);
        const inFile = network.tensors[stored.tensor].quantization?.signed ? 0x80 : 0;
        for (const [value, word] of before.entries()) {
          const isStruck = faulty[value].some((kind) => kind !== undefined);
          expect(after[value]).toBe(isStruck ? readWord(word, faulty[value], inFile) : word);
        }
      }
      expect(hits.length).toBe(found);
      for (const { fault, stored, value, bit } of hits) {
        const index = featureMaps.tensors.indexOf(stored);
        const { cells } = definedValueCells(featureMaps, network, index)[value];
        expect(cells[bit]).toBe(map.cells[fault]);
      }
    },
  );

  property.prop([cases], { numRuns: 40 })(
    'hands on what is read of it: flattened tensors have the faults of their sources, outputs none',
    ([{ network, featureMaps }, seed]) => {
      const random = xorshift(seed);
      const map = randomMap(featureMaps.geometry, random);
      const masks = valueMasks(map, network, featureMaps, featureMaps.tensors);
      const tensors = new Map([...masks].map(([tensor, its]) => [tensor, readMasked(its)]));
      const images = randomImages(network, 2, random);
      const units = randomUnits(network, random);
      const sound = createDatapath(network, createReferenceBackend(), 1);
      sound.setActivationUnits(units);
      const disturbed = [
        createNetworkDatapath(network, kernels, drawOf(random)(1, 2)),
        createDatapath(network, createReferenceBackend(), drawOf(random)(1, 2)),
      ];
      for (const datapath of disturbed) {
        datapath.setActivationUnits(units);
        datapath.setDisturbance({ tensors });
        const seen = network.tensors.map((): (Uint8Array | Float32Array)[] => []);
        const lengths = network.tensors.map(({ shape }) => featureCount(shape));
        const outputs = datapath.run(images, 2, {
          tensor(tensor, values, first, size) {
            for (let image = 0; image < size; image += 1) {
              const part = values.slice(image * lengths[tensor], (image + 1) * lengths[tensor]);
              seen[tensor][first + image] = part;
            }
          },
        });
        for (const image of [0, 1]) {
          // Each tensor is what a sound layer makes of those before it, as they were seen, and then as it is read.
          const expectRead = (tensor: number) => {
            const values = sound.tensors[tensor].slice(0, lengths[tensor]);
            const words =
              values instanceof Uint8Array ? values : new Uint32Array(values.buffer as ArrayBuffer);
            tensors.get(tensor)?.(words);
            expect(bitsOf(seen[tensor][image]), network.tensors[tensor].name).toEqual(
              bitsOf(values),
            );
          };
          const length = lengths[network.input];
          sound.loadImages(images.subarray(image * length, (image + 1) * length), 1);
          expectRead(network.input);
          for (const [index, layer] of network.layers.entries()) {
            for (const input of inputsOf(layer)) sound.tensors[input].set(seen[input][image]);
            sound.runLayer(index, 1);
            expectRead(layer.output);
          }
          const its = new Float32Array(sound.classes);
          sound.tensors[network.output].set(seen[network.output][image]);
          sound.readOutputs(its, 1);
          const { classes } = datapath;
          expect(bitsOf(outputs.slice(image * classes, (image + 1) * classes))).toEqual(
            bitsOf(its),
          );
        }
      }
    },
  );
});
