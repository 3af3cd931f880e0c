import type {
  AccumulatorObserver,
  FaultySumsKernel,
  FaultySumsSpecification,
  KernelBackend,
  SumGroup,
} from '../../kernels/index.js';
import { type ArrayLayer, isOnArray, type Network } from '../../models/index.js';
import { firstFrom } from '../disturbance/layer-patches.js';
import { quantizationOf } from './operations.js';

/** Writes the sums of a layer that pass faulty places over those that its kernel computed. */
export type SumReplacer = AccumulatorObserver<Int32Array | Float32Array>;

/** The sums of a network that pass faulty places. */
export interface FaultySums {
  /** Which they are, by index into `network.layers`, instead of those that were set before. */
  set(sums: ReadonlyMap<number, readonly SumGroup[]> | undefined): void;
  /**
   * Compute those of one layer for the first images of its input.
   *
   * @returns undefined where it has none
   */
  replacer(
    layer: number,
    input: Uint8Array | Float32Array,
    images: number,
  ): SumReplacer | undefined;
}

interface DisturbedLayer {
  readonly layer: ArrayLayer;
  readonly groups: readonly SumGroup[];
  readonly kernel: FaultySumsKernel;
}

export function createFaultySums(network: Network, backend: KernelBackend): FaultySums {
  let disturbed: ReadonlyMap<number, DisturbedLayer> = new Map();
  return {
    set(sums = new Map()) {
      if (sums.size === 0 && disturbed.size === 0) return;
      const layers = [...sums].map(([index, groups]) => {
        const layer = network.layers[index];
        if (!isOnArray(layer)) throw new Error(`${layer.name} has no sums`);
        return { index, layer, groups };
      });
      const kernels = backend.faultySums(
        layers.map(({ layer, groups }) => faultySumsSpecification(network, layer, groups)),
      );
      disturbed = new Map(
        layers.map(({ index, ...layer }, place) => [index, { ...layer, kernel: kernels[place] }]),
      );
    },
    replacer(index, input, images) {
      const one = disturbed.get(index);
      if (!one) return undefined;
      one.kernel.run(input, images);
      return replacerOf(one);
    },
  };
}

/** What the sums of a layer that pass faulty places ask of their kernel. */
export function faultySumsSpecification(
  network: Network,
  { shape, input, bias }: ArrayLayer,
  groups: readonly SumGroup[],
): FaultySumsSpecification {
  const { format } = network;
  const inputZeroPoint = format === 'int8' ? quantizationOf(network, input).zeroPoint : 0;
  return { format, shape, inputZeroPoint, bias, groups };
}

function replacerOf({ layer, groups, kernel }: DisturbedLayer): SumReplacer {
  const { height, width } = layer.shape.output;
  const positions = height * width;
  return (accumulators, firstRow, rows, rowStride) => {
    const endRow = firstRow + rows;
    for (let row = firstRow; row < endRow; ) {
      const image = Math.floor(row / positions);
      const first = row - image * positions;
      const end = Math.min(positions, first + endRow - row);
      const rowOf = (position: number) => row - firstRow + position - first;
      for (const [group, its] of groups.entries()) {
        replaceGroup(its, kernel.sums[group], { image, first, end }, (position, channel, sum) => {
          accumulators[rowOf(position) * rowStride + channel] = sum;
        });
      }
      row += end - first;
    }
  };
}

/** Positions of one image, `first` to before `end`. */
interface PositionRange {
  readonly image: number;
  readonly first: number;
  readonly end: number;
}

function replaceGroup(
  { positions, parts }: SumGroup,
  sums: readonly (Int32Array | Float32Array)[],
  { image, first, end }: PositionRange,
  replace: (position: number, channel: number, sum: number) => void,
): void {
  let place = firstFrom(positions, first);
  for (; place < positions.length && positions[place] < end; place += 1) {
    const position = positions[place];
    for (const [part, { channels }] of parts.entries()) {
      const start = (image * positions.length + place) * channels.length;
      for (let index = 0; index < channels.length; index += 1) {
        replace(position, channels[index], sums[part][start + index]);
      }
    }
  }
}
