import { InputError } from '../core/index.js';
import { arrayLayerNamed, type Network } from '../models/index.js';
import type { ActivationUnit } from '../sim/index.js';
import {
  activationUnits,
  type ClipPosition,
  type ClipUse,
  type LayerThresholds,
} from './activations/clip.js';
import { activationPartOf, type Mitigation, type PartDefaults } from './mitigation.js';
import type { Granularity } from './thresholds/granularity.js';
import { type Thresholds, thresholdsFor } from './thresholds/thresholds.js';

/** Clips at known thresholds, of one network: plain data that can be posted to a thread. */
export interface NetworkClip {
  readonly use: ClipUse;
  readonly position: ClipPosition;
  readonly thresholds: LayerThresholds;
}

/** What a mitigation puts behind the accumulators of one network; undefined: nothing. */
export type ActivationSide = NetworkClip | undefined;

/** The content of a file of thresholds, and what names it in errors. */
export interface FoundThresholds {
  readonly thresholds: Thresholds;
  readonly where: string;
}

/** What a part asks of a file of thresholds. */
export interface ThresholdRequest {
  /** Undefined: the one of the study. */
  readonly file: string | undefined;
  /** Of profile maxima; undefined: any. */
  readonly granularity: Granularity | undefined;
}

/**
 * The activation side of a mitigation for a network.
 *
 * @param find where thresholds come from
 * @throws InputError when a part names a layer that the network or its thresholds do not have; as `thresholdsFor` does
 */
export function activationSideOf(
  mitigation: Mitigation,
  network: Network,
  find: (request: ThresholdRequest) => FoundThresholds,
  defaults: PartDefaults,
): ActivationSide {
  const part = activationPartOf(mitigation);
  if (!part) return undefined;
  const { use, granularity = defaults.granularity, position = defaults.position, layers } = part;
  const { thresholds, where } = find({ file: part.thresholds, granularity });
  const all = thresholdsFor(network, thresholds, where, use, granularity);
  return {
    ...{ use, position },
    thresholds: layers ? restrict(all, layers, network, mitigation.name) : all,
  };
}

function restrict(
  thresholds: LayerThresholds,
  layers: readonly string[],
  network: Network,
  mitigation: string,
): LayerThresholds {
  return new Map(
    layers.map((layer) => {
      const values = thresholds.get(layer);
      if (values) return [layer, values];
      arrayLayerNamed(network, layer, `mitigation ${mitigation}`);
      throw new InputError(
        `mitigation ${mitigation}: there are no thresholds for layer "${layer}" of ${network.name}: expected one of ${[...thresholds.keys()].join(', ')}`,
      );
    }),
  );
}

/** The activation units of a side, by layer name. */
export function unitsOfSide(
  side: ActivationSide,
  network: Network,
): ReadonlyMap<string, ActivationUnit> {
  return side
    ? activationUnits(side.use, network, side.thresholds, side.position)
    : new Map<string, ActivationUnit>();
}
