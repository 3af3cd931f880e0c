import { inputsOf, isOnArray, type Layer, type Network } from '../../../models/index.js';
import { firstWeightOfLayers, type Placement } from '../../../sim/index.js';

/** Of each channel or weight its place. */
type Permutation = readonly number[];

/** A network whose channels stand elsewhere, and where each weight of the one as it was is in it. */
export interface PermutedNetwork {
  readonly network: Network;
  readonly placeOf: Permutation;
}

function identity(size: number): Permutation {
  return Array.from({ length: size }, (_, place) => place);
}

function isIdentity(permutation: Permutation): boolean {
  return permutation.every((place, index) => place === index);
}

/** Values in the places of a permutation, `block` of them together. */
function permuted<Values extends Int8Array | Int32Array | Float32Array>(
  values: Values,
  places: Permutation,
  block = 1,
): Values {
  const result = values.slice();
  for (const [index, place] of places.entries()) {
    for (let at = 0; at < block; at++) result[place * block + at] = values[index * block + at];
  }
  return result as Values;
}

/**
 * A network of the same function with the output channels of weighted layers in other places: tensor by tensor, all that
 * goes by channel follows.
 *
 * @param choices by name of the layer; others stay
 */
export function permuteNetwork(
  network: Network,
  choices: ReadonlyMap<string, Permutation>,
): PermutedNetwork {
  const ofTensor = network.tensors.map(({ shape }) => identity(shape.channels));
  const placeOf: number[] = [];
  const first = firstWeightOfLayers(network);
  let weighted = 0;
  const layers = (network.layers as readonly Layer[]).map((layer): Layer => {
    const [input] = inputsOf(layer).map((tensor) => ofTensor[tensor]);
    if (!isOnArray(layer)) {
      if ('inputs' in layer) {
        if (!layer.inputs.every((tensor) => isIdentity(ofTensor[tensor]))) {
          throw new Error(`${layer.name} joins channels that have moved`);
        }
        return layer;
      }
      const size = network.tensors[layer.output].shape.channels / input.length;
      ofTensor[layer.output] = input.flatMap((place) =>
        identity(size).map((at) => place * size + at),
      );
      if (layer.kind !== 'affine') return layer;
      return {
        ...layer,
        factors: permuted(layer.factors, input),
        offsets: permuted(layer.offsets, input),
      };
    }
    const { channels } = layer.shape.output;
    const output = choices.get(layer.name) ?? identity(channels);
    const window = layer.weights.length / channels;
    const isMoved = !isIdentity(input) || !isIdentity(output);
    if (isMoved && layer.shape.groups > 1) throw new Error(`${layer.name} has groups`);
    ofTensor[layer.output] = output;
    const block = window / input.length;
    const positionOf = (position: number) => {
      const channel = Math.floor(position / block);
      return layer.shape.groups > 1 ? position : input[channel] * block + (position % block);
    };
    const weights = layer.weights.slice();
    const start = first[weighted++];
    for (let channel = 0; channel < channels; channel++) {
      for (let position = 0; position < window; position++) {
        const place = output[channel] * window + positionOf(position);
        weights[place] = layer.weights[channel * window + position];
        placeOf.push(start + place);
      }
    }
    return {
      ...layer,
      weights,
      bias: permuted(layer.bias as Int32Array, output),
      ...('scales' in layer && {
        scales: permuted(layer.scales, output),
        zeroPoints: permuted(layer.zeroPoints, output),
      }),
    } as Layer;
  });
  if (!isIdentity(ofTensor[network.output])) throw new Error('the outputs have moved');
  return { network: { ...network, layers } as Network, placeOf };
}

/** The places of the output channels of every weighted layer, as weights stand in a placement instead of their own. */
export function channelPlaces(
  network: Network,
  own: Placement,
  reordered: Placement,
): Map<string, Permutation> {
  const slotAndTile = ({ slotOf, tileOf }: Placement, weight: number) =>
    `${slotOf(weight)}:${tileOf(weight)}`;
  const standing = new Map(
    identity(own.weights).map((weight) => [slotAndTile(own, weight), weight]),
  );
  const first = firstWeightOfLayers(network);
  const layers = (network.layers as readonly Layer[]).filter((layer) => isOnArray(layer));
  return new Map(
    layers.map(({ name, weights, shape }, index) => {
      const window = weights.length / shape.output.channels;
      const places = identity(shape.output.channels).map((channel) => {
        const place = standing.get(slotAndTile(reordered, first[index] + channel * window));
        if (place === undefined) throw new Error(`${name} stands where nothing did`);
        return Math.floor((place - first[index]) / window);
      });
      return [name, places];
    }),
  );
}
