import { type ConvolutionShape, windowSize } from '../../../core/index.js';
import { BLOCK_BYTES } from '../plan.js';
import type { Workspace } from '../workspace.js';

/** Room for the two sums of each channel in a block of accumulators. */
const MOST_CHANNELS = BLOCK_BYTES / 8;

/**
 * A byte for each weight, some output channels at a time, in the kernels' memory.
 *
 * @param visit is told the first channel, how many there are, and the address of their bytes, which are valid during the
 * call
 */
export function forEachBlock(
  { buffer, places }: Workspace,
  bits: Uint8Array,
  shape: ConvolutionShape,
  visit: (channel: number, count: number, address: number) => void,
): void {
  const window = windowSize(shape);
  const { channels } = shape.output;
  // A window of values fits the block, and so does one of bytes.
  const most = Math.min(MOST_CHANNELS, Math.floor(BLOCK_BYTES / window));
  for (let channel = 0; channel < channels; channel += most) {
    const count = Math.min(most, channels - channel);
    const block = new Uint8Array(buffer, places.windows, count * window);
    block.set(bits.subarray(channel * window, (channel + count) * window));
    visit(channel, count, places.windows);
  }
}
