import { isWeighted, type Layer, type SharedWeights, type WeightedLayer } from '../network.js';
import { layerWords } from './stored-words.js';
import { transpose } from './transpose.js';

/** What a layer's words were read from: the same `key` is the same source. */
export interface WeightSource {
  readonly key: string;
  /** Whether the layer reads the source's matrix transposed. */
  readonly transposed: boolean;
}

/** The source of a layer that is known by `sharedWeights`. */
export function sharedSource({ name, sharedWeights }: WeightedLayer): WeightSource {
  return {
    key: sharedWeights?.layer ?? name,
    transposed: sharedWeights?.transposed ?? false,
  };
}

/**
 * States anew which layers read the same stored words: those of one source whose words are equal. Others have words of
 * their own, although they come from one source: a float32 network stores a uint8 word dequantised by two scales twice.
 *
 * @param sourceOf undefined for a layer that shares nothing
 */
export function shareEqualWeights<L extends Layer>(
  layers: readonly L[],
  sourceOf: (layer: WeightedLayer) => WeightSource | undefined = sharedSource,
): L[] {
  const known = new Map<string, { layer: WeightedLayer; transposed: boolean }[]>();
  return layers.map((layer): L => {
    if (!isWeighted(layer as Layer)) return layer;
    const { sharedWeights: _, ...rest } = layer as WeightedLayer;
    const source = sourceOf(layer as WeightedLayer);
    const alone = rest as WeightedLayer;
    if (!source) return alone as L;
    const { key, transposed } = source;
    const others = known.get(key) ?? [];
    const sharing = others
      .map(
        (other): SharedWeights => ({
          layer: other.layer.name,
          transposed: other.transposed !== transposed,
        }),
      )
      .find((shared, index) => hasSameWords(others[index].layer, alone, shared.transposed));
    if (sharing) return { ...alone, sharedWeights: sharing } as L;
    known.set(key, [...others, { layer: alone, transposed }]);
    return alone as L;
  });
}

/** Whether the second layer's words are those of the first, perhaps transposed. */
function hasSameWords(first: WeightedLayer, second: WeightedLayer, transposed: boolean): boolean {
  const words = layerWords(first);
  const expected = transposed ? transpose(words, first.shape.output.channels) : words;
  const found = layerWords(second);
  return expected.length === found.length && expected.every((word, index) => word === found[index]);
}
