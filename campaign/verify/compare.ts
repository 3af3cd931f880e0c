import type { FeatureShape } from '../../core/index.js';

/** A place in a tensor of several images. */
export interface Place {
  readonly image: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

/**
 * Values around a place: of a feature map the positions around it in its channel, row by row; of a
 * vector the channels around it, in one row.
 */
export interface Neighbourhood {
  readonly along: 'positions' | 'channels';
  /** What the first row and the first column stand for: y and x, or 0 and the channel. */
  readonly first: readonly [row: number, column: number];
  readonly bitcell: readonly (readonly number[])[];
  readonly onnxruntime: readonly (readonly number[])[];
}

/** One value on which Bitcell and onnxruntime differ. */
export interface Mismatch extends Place {
  readonly layer: string;
  readonly bitcell: number;
  readonly onnxruntime: number;
  readonly neighbours: Neighbourhood;
}

/** What a comparison found: how many values differ, and the first of them in network order. */
export interface Comparison {
  values: number;
  mismatches: number;
  first: Mismatch | undefined;
  /** Where in the network `first` lies. */
  firstOrder: number;
}

export function emptyComparison(): Comparison {
  return { values: 0, mismatches: 0, first: undefined, firstOrder: Number.POSITIVE_INFINITY };
}

/** One layer's outputs of some images, as both sides computed them. */
export interface LayerOutputs {
  readonly layer: string;
  /** The layer's place in the network: of two differences the earlier one explains the other. */
  readonly order: number;
  readonly shape: FeatureShape;
  readonly firstImage: number;
  readonly images: number;
  /** image × height × width × channel. */
  readonly ours: Uint8Array | Float32Array;
  /** image × channel × height × width. */
  readonly theirs: Uint8Array | Float32Array;
}

/** Compare one layer's outputs to the bit and add the result to `comparison`. */
export function compareLayer(comparison: Comparison, outputs: LayerOutputs): void {
  const { shape, images, ours, theirs, order } = outputs;
  const { channels, height, width } = shape;
  const positions = height * width;
  const length = channels * positions;
  comparison.values += images * length;
  for (let image = 0; image < images; image += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const theirStart = image * length + channel * positions;
      const ourStart = image * length + channel;
      for (let position = 0; position < positions; position += 1) {
        if (ours[ourStart + position * channels] === theirs[theirStart + position]) continue;
        comparison.mismatches += 1;
        if (order >= comparison.firstOrder) continue;
        comparison.firstOrder = order;
        comparison.first = mismatchAt(outputs, {
          image,
          channel,
          y: Math.floor(position / width),
          x: position % width,
        });
      }
    }
  }
}

/** Rows and columns shown on each side of a place. */
const REACH = 2;

/** @param place with the image counted from the first of `outputs` */
function mismatchAt(outputs: LayerOutputs, place: Place): Mismatch {
  const { shape, ours, theirs, layer, firstImage } = outputs;
  const { channels, height, width } = shape;
  const { image, channel, y, x } = place;
  const our = (c: number, row: number, column: number) =>
    ours[((image * height + row) * width + column) * channels + c];
  const their = (c: number, row: number, column: number) =>
    theirs[((image * channels + c) * height + row) * width + column];
  const isVector = height * width === 1;
  const rows = isVector ? [0] : around(y, height);
  const columns = isVector ? around(channel, channels) : around(x, width);
  const values = (read: typeof our) =>
    rows.map((row) =>
      columns.map((column) => (isVector ? read(column, 0, 0) : read(channel, row, column))),
    );
  return {
    ...place,
    image: firstImage + image,
    layer,
    bitcell: our(channel, y, x),
    onnxruntime: their(channel, y, x),
    neighbours: {
      along: isVector ? 'channels' : 'positions',
      first: [rows[0], columns[0]],
      bitcell: values(our),
      onnxruntime: values(their),
    },
  };
}

function around(centre: number, size: number): number[] {
  const first = Math.max(0, centre - REACH);
  const last = Math.min(size - 1, centre + REACH);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
