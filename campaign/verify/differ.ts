import {
  type Int8ArrayLayer,
  type Int8Network,
  isOnArray,
  requantizationMultipliers,
} from '../../models/index.js';
import type { Datapath } from '../../sim/index.js';
import type { Mismatch, Neighbourhood } from './compare.js';

/** How Bitcell came to a value: q = clamp(roundHalfEven(fround(fround(value) · multiplier)) + zeroPoint). */
export interface AccumulatorTrace {
  /** The int32 accumulator, bias included, before the clip. */
  readonly value: number;
  /** Its real step, fround(s_x · s_w[c]). */
  readonly scale: number;
  readonly multiplier: number;
  readonly zeroPoint: number;
}

/** A mismatch and, where a layer with weights made the value, its accumulator. */
export interface Difference extends Mismatch {
  readonly accumulator?: AccumulatorTrace;
}

/**
 * Run the image of a mismatch again to see the accumulator behind it.
 *
 * @param datapath with the faults and activation units of the mismatch
 * @param image its input: channel × row × column
 */
export function traceMismatch(
  network: Int8Network,
  datapath: Datapath,
  image: Float32Array,
  mismatch: Mismatch,
): Difference {
  const layer = network.layers.find(({ name }) => name === mismatch.layer);
  if (!layer || !isOnArray(layer)) return mismatch;
  const { channel, y, x } = mismatch;
  const wantedRow = y * layer.shape.output.width + x;
  let value: number | undefined;
  datapath.run(image, 1, {
    accumulators(observed, accumulators, firstRow, rows, rowStride) {
      const row = wantedRow - firstRow;
      if (observed.name !== layer.name || row < 0 || row >= rows) return;
      value = accumulators[row * rowStride + channel];
    },
  });
  return value === undefined
    ? mismatch
    : { ...mismatch, accumulator: trace(network, layer, channel, value) };
}

function trace(
  network: Int8Network,
  layer: Int8ArrayLayer,
  channel: number,
  value: number,
): AccumulatorTrace {
  const inputScale = network.tensors[layer.input].quantization?.scale ?? 1;
  const { scale, zeroPoint } = network.tensors[layer.output].quantization ?? {
    scale: 1,
    zeroPoint: 0,
  };
  return {
    value,
    scale: Math.fround(inputScale * layer.scales[channel]),
    multiplier: requantizationMultipliers(inputScale, layer.scales, scale)[channel],
    zeroPoint,
  };
}

/**
 * Names the place and both values, then how Bitcell came to its value, then the values around it.
 *
 * @param name what was compared
 */
export function describeMismatch(name: string, difference: Difference): string {
  const { layer, image, channel, y, x, bitcell, onnxruntime, accumulator } = difference;
  return [
    `${name}: layer ${layer}, image ${image}, channel ${channel}, position (${y}, ${x}): ` +
      `Bitcell ${bitcell}, onnxruntime ${onnxruntime}`,
    ...(accumulator ? [describeAccumulator(accumulator)] : []),
    ...describeNeighbours(difference.neighbours),
  ].join('\n');
}

function describeAccumulator({ value, scale, multiplier, zeroPoint }: AccumulatorTrace): string {
  const scaled = Math.fround(Math.fround(value) * multiplier);
  return `  Bitcell's accumulator ${value} (scale ${scale}) times ${multiplier} is ${scaled}, before rounding and zero point ${zeroPoint}`;
}

function describeNeighbours({ along, first, bitcell, onnxruntime }: Neighbourhood): string[] {
  const [row, column] = first;
  const last = column + bitcell[0].length - 1;
  const columns = along === 'channels' ? `channels ${column} to ${last}` : `x ${column} to ${last}`;
  const line = (values: readonly number[]) =>
    values.map((value) => String(value).padStart(4)).join('');
  const rows = bitcell.map((values, index) => {
    const start = along === 'channels' ? '   ' : `  y ${row + index}`;
    return `${start.padEnd(8)}${line(values)}  |${line(onnxruntime[index])}`;
  });
  return [`  around it, ${columns}, Bitcell | onnxruntime:`, ...rows];
}
