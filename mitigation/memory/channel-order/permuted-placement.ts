import { type Network, weightedLayers } from '../../../models/index.js';
import { firstWeightOfLayers, type Placement } from '../../../sim/index.js';
import type { MovableLayer } from './movable-layers.js';

/** Of each output channel of a layer, whose place it takes; undefined: its own. */
export type ChannelPlaces = Uint32Array | undefined;

/** A placement in which the channels of some layers are kept in one another's places, and the next layers' inputs follow. */
export interface PermutedPlacement {
  readonly placement: Placement;
  /** Keep the output channels of a layer in these places from now on. */
  setPlaces(layer: number, places: ChannelPlaces): void;
  /** The place within a channel, at which its weight for another layer's channels is kept: which weight it is. */
  weightInWindow(layer: number, place: number): number;
}

/**
 * A place is numbered as the weight that stands in it in the placement as it was. Weight (c, i) of a layer, output
 * channel c and input i, stands in place (p(c), q(i)): p of the layer's own channels, q of those of the layer that it
 * reads.
 */
export function permutedPlacement(
  network: Network,
  own: Placement,
  movable: readonly MovableLayer[],
): PermutedPlacement {
  const layers = weightedLayers(network);
  const first = firstWeightOfLayers(network);
  const windows = layers.map(({ weights, shape }) => weights.length / shape.output.channels);
  /** Of each layer the one whose channels it reads, if they can move, and the inputs that one of them is. */
  const sources = layers.map((_, index) => {
    const source = movable.find(({ readers }) => readers.includes(index));
    return source?.layer ?? NONE;
  });
  const blocks = sources.map((source, index) =>
    source === NONE ? 1 : windows[index] / layers[source].shape.output.channels,
  );
  const placesOf = new Array<ChannelPlaces>(layers.length).fill(undefined);
  const channelsAt = new Array<ChannelPlaces>(layers.length).fill(undefined);

  const movedInWindow = (
    maps: readonly ChannelPlaces[],
    layer: number,
    position: number,
  ): number => {
    const map = sources[layer] === NONE ? undefined : maps[sources[layer]];
    if (!map) return position;
    const block = blocks[layer];
    const channel = Math.floor(position / block);
    return map[channel] * block + (position - channel * block);
  };
  let layer = 0;
  const moved = (maps: readonly ChannelPlaces[], weight: number): number => {
    while (weight < first[layer]) layer -= 1;
    while (weight >= first[layer + 1]) layer += 1;
    const window = windows[layer];
    const within = weight - first[layer];
    const channel = Math.floor(within / window);
    const position = movedInWindow(maps, layer, within - channel * window);
    return first[layer] + (maps[layer]?.[channel] ?? channel) * window + position;
  };

  return {
    placement: {
      ...own,
      isInOrder: false,
      streamedLayers: undefined,
      slotOf: (weight) => own.slotOf(moved(placesOf, weight)),
      tileOf: (weight) => own.tileOf(moved(placesOf, weight)),
      weightAt: (slot, occurrence) => moved(channelsAt, own.weightAt(slot, occurrence)),
    },
    setPlaces(index, places) {
      placesOf[index] = places;
      channelsAt[index] = places && inverseOf(places);
    },
    weightInWindow: (index, place) => movedInWindow(channelsAt, index, place),
  };
}

/** No layer. */
const NONE = -1;

function inverseOf(places: Uint32Array): Uint32Array {
  const channels = new Uint32Array(places.length);
  for (const [channel, place] of places.entries()) channels[place] = channel;
  return channels;
}
