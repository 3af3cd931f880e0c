import { InputError } from '../../core/index.js';
import type { ClipMode } from '../../kernels/index.js';
import {
  arrayLayerNamed,
  type Float32Clips,
  type Float32Network,
  type Int8LayerClip,
  type Int8Network,
  type Network,
  transpose,
} from '../../models/index.js';
import type { ActivationUnit } from '../../sim/index.js';
import { kernelThresholds, storedThresholds } from './requantized-clip.js';

/** What a clip makes of an activation above its threshold, and where that threshold comes from. */
export const CLIP_USES = ['clip', 'clamp', 'clip-tuned'] as const;

export type ClipUse = (typeof CLIP_USES)[number];

/** Where clips stand: before requantisation, or (int8 words only) behind it, on stored outputs. */
export const CLIP_POSITIONS = ['accumulator', 'requantised'] as const;

export type ClipPosition = (typeof CLIP_POSITIONS)[number];

/**
 * Clip thresholds by layer name, always of accumulators: one for the layer (float32), one per output channel, or one
 * per neuron in channel, row, column order; see `thresholdsFor`.
 */
export type LayerThresholds = ReadonlyMap<string, readonly number[]>;

const CLIP_MODES: Readonly<Record<ClipUse, ClipMode>> = {
  clip: 'clip-zero',
  clamp: 'clamp',
  'clip-tuned': 'clip-zero',
};

/**
 * The activation units of a clip, by layer name. `clip` is FT-ClipAct's clipped activation
 * (above its threshold an output becomes 0; Hoang, Hanif and Shafique, DATE 2020), `clip-tuned` the same at
 * thresholds that a search found, `clamp` Ranger's (above the threshold it becomes the threshold).
 *
 * @throws InputError when float32 words are to be clipped after requantisation
 */
export function activationUnits(
  use: ClipUse,
  network: Network,
  thresholds: LayerThresholds,
  position: ClipPosition = 'accumulator',
): ReadonlyMap<string, ActivationUnit> {
  if (network.format === 'int8') {
    return int8Units(network, int8Clips(use, network, thresholds, position));
  }
  return new Map(
    [...float32Clips(use, network, thresholds, position)].map(
      ([name, { mode, thresholds: values }]) => [
        name,
        {
          format: 'float32',
          clip: { mode, thresholds: channelsInnermost(values, channelsOf(network, name)) },
        },
      ],
    ),
  );
}

/** The clips for int8 words as an exported network has them, by layer name. */
export function int8Clips(
  use: ClipUse,
  network: Int8Network,
  thresholds: LayerThresholds,
  position: ClipPosition = 'accumulator',
): ReadonlyMap<string, Int8LayerClip> {
  const mode = CLIP_MODES[use];
  return new Map(
    [...thresholds].map(([name, values]) => [
      name,
      position === 'accumulator'
        ? { mode, position, thresholds: Int32Array.from(values) }
        : { mode, position, thresholds: storedThresholds(network, name, values) },
    ]),
  );
}

/** The activation units that int8 clips stand for, by layer name. */
export function int8Units(
  network: Int8Network,
  clips: ReadonlyMap<string, Int8LayerClip>,
): ReadonlyMap<string, ActivationUnit> {
  return new Map(
    [...clips].map(([name, clip]) => {
      const { mode } = clip;
      const thresholds =
        clip.position === 'accumulator'
          ? clip.thresholds
          : kernelThresholds(network, name, clip.thresholds);
      const ordered = channelsInnermost(thresholds, channelsOf(network, name));
      return [name, { format: 'int8', clip: { mode, thresholds: ordered } }];
    }),
  );
}

/** @throws InputError when float32 words are to be clipped after requantisation */
export function requireClipPosition(network: Network, position: ClipPosition): void {
  if (network.format === 'float32' && position === 'requantised') {
    throw new InputError(
      `${network.name} with float32 words has no requantisation to clip after: choose int8 words, or the clip position accumulator`,
    );
  }
}

/**
 * The clips for float32 words as an exported network has them, by layer name.
 *
 * @throws InputError when they are to stand after requantisation
 */
export function float32Clips(
  use: ClipUse,
  network: Float32Network,
  thresholds: LayerThresholds,
  position: ClipPosition = 'accumulator',
): Float32Clips {
  requireClipPosition(network, position);
  const mode = CLIP_MODES[use];
  return new Map(
    [...thresholds].map(([name, values]) => [
      name,
      {
        mode,
        thresholds:
          values.length === 1
            ? new Float32Array(channelsOf(network, name)).fill(values[0])
            : Float32Array.from(values),
      },
    ]),
  );
}

/** Thresholds per neuron in the order of the kernels' tensors; those per channel are in it already. */
function channelsInnermost<T extends Int32Array | Float32Array>(
  thresholds: T,
  channels: number,
): T {
  return thresholds.length === channels ? thresholds : transpose(thresholds, channels);
}

function channelsOf(network: Network, name: string): number {
  return arrayLayerNamed(network, name).shape.output.channels;
}
