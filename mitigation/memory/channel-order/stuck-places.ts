import { createScratch, type Scratch } from '../../../core/index.js';
import { weightedLayers } from '../../../models/index.js';
import { firstWeightOfLayers, type WordFaults } from '../../../sim/index.js';
import type { PlacedWeights } from '../stages.js';
import { wordLayout } from '../word-layout.js';

/**
 * The places of a layer's weights that have stuck cells, by output channel: those in the place of channel c are the
 * entries from starts[c] to before starts[c + 1].
 */
export interface StuckPlaces {
  readonly starts: Uint32Array;
  /** Which weight of a channel stands in each. */
  readonly positions: Uint32Array;
  /** The stuck cells as a mask of the word, and those of them that read 1. */
  readonly cells: Uint32Array;
  readonly ones: Uint32Array;
}

/** Collects stuck cells of the memory words of one fault map. */
export interface StuckPlacesCollector {
  clear(): void;
  /** The cells of a word, filled for the `fill`-th time. */
  add(address: number, fill: number, faults: WordFaults): void;
  /** Those of a layer, valid until the next call. Layers are counted among the weighted ones. */
  placesOf(layer: number): StuckPlaces;
}

/** @param layers those that are asked for */
export function stuckPlacesCollector(
  { network, placement }: PlacedWeights,
  layers: readonly number[],
): StuckPlacesCollector {
  const first = firstWeightOfLayers(network);
  const weighted = weightedLayers(network);
  const lists = new Map(layers.map((layer) => [layer, createList()]));
  const { weightBits, occupancy, weightAt } = placement;
  const { lanes, weights, weightsPerLane, weightMask, masks } = wordLayout(placement);
  const buffers = { places: createBuffer(), cells: createBuffer(), ones: createBuffer() };
  let layer = 0;

  const addPlace = (place: number, cells: number, ones: number) => {
    while (place < first[layer]) layer -= 1;
    while (place >= first[layer + 1]) layer += 1;
    lists.get(layer)?.push(place - first[layer], cells, ones);
  };
  return {
    clear() {
      for (const list of lists.values()) list.clear();
    },
    add(address, fill, { and, or }) {
      for (let lane = 0; lane < lanes; lane++) {
        const cells = (~and[lane] | or[lane]) & masks[lane];
        if (cells === 0) continue;
        for (let place = 0; place < weightsPerLane; place++) {
          const shift = place * weightBits;
          const ofWeight = (cells >>> shift) & weightMask;
          const slot = address * weights + lane * weightsPerLane + place;
          if (ofWeight === 0 || fill >= occupancy(slot)) continue;
          addPlace(weightAt(slot, fill), ofWeight, (or[lane] >>> shift) & weightMask);
        }
      }
    },
    placesOf(asked) {
      const list = lists.get(asked);
      if (!list) throw new Error(`layer ${asked} was not asked for`);
      const { channels } = weighted[asked].shape.output;
      return byChannel(list, channels, weighted[asked].weights.length / channels, buffers);
    },
  };
}

/** Numbers of places, and what is stuck there, in the order in which they came. */
interface PlaceList {
  clear(): void;
  push(place: number, cells: number, ones: number): void;
  entries(): Record<'places' | 'cells' | 'ones', Uint32Array>;
}

/** Entries that a list starts with. */
const FIRST_LENGTH = 1024;

function createList(): PlaceList {
  let places = new Uint32Array(FIRST_LENGTH);
  let cells = new Uint32Array(FIRST_LENGTH);
  let ones = new Uint32Array(FIRST_LENGTH);
  let count = 0;
  return {
    clear() {
      count = 0;
    },
    push(place, ofPlace, onesOfPlace) {
      if (count === places.length) {
        places = doubled(places);
        cells = doubled(cells);
        ones = doubled(ones);
      }
      places[count] = place;
      cells[count] = ofPlace;
      ones[count++] = onesOfPlace;
    },
    entries: () => ({
      places: places.subarray(0, count),
      cells: cells.subarray(0, count),
      ones: ones.subarray(0, count),
    }),
  };
}

function doubled(values: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * values.length);
  larger.set(values);
  return larger;
}

type Buffer = Scratch<Uint32Array>;

function createBuffer(): Buffer {
  return createScratch((length) => new Uint32Array(length));
}

/** Sorted by counting. */
function byChannel(
  list: PlaceList,
  channels: number,
  window: number,
  buffers: Readonly<Record<'places' | 'cells' | 'ones', Buffer>>,
): StuckPlaces {
  const { places, cells, ones } = list.entries();
  const starts = new Uint32Array(channels + 1);
  for (const place of places) starts[Math.floor(place / window) + 1] += 1;
  for (let channel = 0; channel < channels; channel++) starts[channel + 1] += starts[channel];
  const next = starts.slice(0, channels);
  const sorted = {
    starts,
    positions: buffers.places(places.length),
    cells: buffers.cells(places.length),
    ones: buffers.ones(places.length),
  };
  for (let entry = 0; entry < places.length; entry++) {
    const channel = Math.floor(places[entry] / window);
    const to = next[channel]++;
    sorted.positions[to] = places[entry] - channel * window;
    sorted.cells[to] = cells[entry];
    sorted.ones[to] = ones[entry];
  }
  return sorted;
}
