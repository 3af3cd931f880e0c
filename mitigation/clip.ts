import type { ClipMode, Float32Clip, Int8Clip } from '../kernels/index.js';
import { type Network, weightedLayers } from '../models/index.js';
import type { ActivationUnit } from '../sim/index.js';

/** What protects a network; `none` protects nothing. */
export const MITIGATIONS = ['none', 'clip', 'clamp', 'clip-tuned'] as const;

export type Mitigation = (typeof MITIGATIONS)[number];

/** Clip thresholds by layer name; see `thresholdsFor`. */
export type LayerThresholds = ReadonlyMap<string, readonly number[]>;

const CLIP_MODES: Readonly<Record<Exclude<Mitigation, 'none'>, ClipMode>> = {
  clip: 'clip-zero',
  clamp: 'clamp',
  'clip-tuned': 'clip-zero',
};

/**
 * The activation units of a mitigation, by layer name. `clip` is FT-ClipAct's clipped activation
 * (above its threshold an output becomes 0; Hoang, Hanif and Shafique, DATE 2020), `clip-tuned` the same at
 * thresholds that a search found, `clamp` Ranger's (above the threshold it becomes the threshold).
 *
 * @param thresholds not used by `none`
 */
export function activationUnits(
  mitigation: Mitigation,
  network: Network,
  thresholds: LayerThresholds,
): ReadonlyMap<string, ActivationUnit> {
  if (mitigation === 'none') return new Map();
  if (network.format === 'int8') {
    const clips = [...int8Clips(mitigation, thresholds)];
    return new Map(clips.map(([name, clip]) => [name, { format: 'int8', clip }]));
  }
  const units = new Map<string, ActivationUnit>();
  for (const { name, shape } of weightedLayers(network)) {
    const values = thresholds.get(name);
    if (!values) continue;
    const clip = float32Clip(CLIP_MODES[mitigation], values, shape.output.channels);
    units.set(name, { format: 'float32', clip });
  }
  return units;
}

/** The accumulator clips of a mitigation for int8 words, by layer name. */
export function int8Clips(
  mitigation: Exclude<Mitigation, 'none'>,
  thresholds: LayerThresholds,
): ReadonlyMap<string, Int8Clip> {
  const mode = CLIP_MODES[mitigation];
  return new Map(
    [...thresholds].map(([name, values]) => [name, { mode, thresholds: Int32Array.from(values) }]),
  );
}

function float32Clip(mode: ClipMode, values: readonly number[], channels: number): Float32Clip {
  const thresholds = new Float32Array(channels);
  if (values.length === 1) thresholds.fill(values[0]);
  else thresholds.set(values);
  return { mode, thresholds };
}
