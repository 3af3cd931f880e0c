import { windowSize } from '../../../core/index.js';
import type { Float32ConvolutionSpecification } from '../../backend.js';
import { planFloat32Convolution } from '../../float32/plan.js';

/** Which output channels hold a weight beyond the plan's limit, and are therefore computed by `direct`. */
export interface ChannelsBeyondLimit {
  /** Notes that a weight of a channel changed. */
  replace(channel: number, before: number, after: number): void;
  /** The channels, ascending. */
  list(): readonly number[];
}

export function channelsBeyondLimit({
  shape,
  weights,
}: Float32ConvolutionSpecification): ChannelsBeyondLimit {
  const { weightLimit } = planFloat32Convolution(shape);
  const window = windowSize(shape);
  const counts = new Uint32Array(shape.output.channels);
  const isBeyond = (weight: number): boolean => !(Math.abs(weight) <= weightLimit);
  // Plain loops: `weights.entries()` takes eight times as long (17 and 2 ns a weight).
  for (let channel = 0, index = 0; channel < counts.length; channel++) {
    for (let i = 0; i < window; i++) if (isBeyond(weights[index++])) counts[channel]++;
  }
  const channelsOf = (): number[] => [...counts.keys()].filter((channel) => counts[channel] > 0);
  let channels: number[] | undefined;
  return {
    replace(channel, before, after) {
      const change = Number(isBeyond(after)) - Number(isBeyond(before));
      if (change === 0) return;
      counts[channel] += change;
      channels = undefined;
    },
    list() {
      channels ??= channelsOf();
      return channels;
    },
  };
}
