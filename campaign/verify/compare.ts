import type { FeatureShape } from '../../core/index.js';

/** One value on which Bitcell and onnxruntime differ. */
export interface Mismatch {
  readonly layer: string;
  readonly image: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
  readonly bitcell: number;
  readonly onnxruntime: number;
}

/** What a comparison found: how many values differ, and the first of them. */
export interface Comparison {
  values: number;
  mismatches: number;
  first: Mismatch | undefined;
}

export function emptyComparison(): Comparison {
  return { values: 0, mismatches: 0, first: undefined };
}

/**
 * Compare one layer's outputs of some images to the bit and add the result to `comparison`.
 *
 * @param ours image × height × width × channel
 * @param theirs image × channel × height × width
 */
export function compareLayer(
  comparison: Comparison,
  layer: string,
  shape: FeatureShape,
  firstImage: number,
  images: number,
  ours: Uint8Array | Float32Array,
  theirs: Uint8Array | Float32Array,
): void {
  const { channels, height, width } = shape;
  const positions = height * width;
  const length = channels * positions;
  comparison.values += images * length;
  for (let image = 0; image < images; image += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const theirStart = image * length + channel * positions;
      const ourStart = image * length + channel;
      for (let position = 0; position < positions; position += 1) {
        const our = ours[ourStart + position * channels];
        const their = theirs[theirStart + position];
        if (our === their) continue;
        comparison.mismatches += 1;
        comparison.first ??= {
          layer,
          image: firstImage + image,
          channel,
          y: Math.floor(position / width),
          x: position % width,
          bitcell: our,
          onnxruntime: their,
        };
      }
    }
  }
}

/** A sentence that names the place and both values. */
export function describeMismatch(name: string, mismatch: Mismatch): string {
  const { layer, image, channel, y, x, bitcell, onnxruntime } = mismatch;
  return (
    `${name}: layer ${layer}, image ${image}, channel ${channel}, position (${y}, ${x}): ` +
    `Bitcell ${bitcell}, onnxruntime ${onnxruntime}`
  );
}
