import { InputError } from '../../core/index.js';
import type { FaultMap } from '../../fault/index.js';
import {
  type ActivationSide,
  activationSideOf,
  type ClipPosition,
  type Mitigation,
  memoryPartsOf,
  memorySideOf,
  readThresholds,
} from '../../mitigation/index.js';
import type { Network } from '../../models/index.js';
import {
  loadAccelerator,
  type Placement,
  placeNetwork,
  placeOnNamed,
  type WeightPatches,
  withWords,
} from '../../sim/index.js';
import { loadMeasuredMap, type MeasuredMapOptions } from '../inputs/measured-map.js';
import { knownMapsOfFile } from '../trial/known-maps.js';

/** What breaks and what protects a network on an accelerator. */
export interface ProtectedNetwork {
  readonly accelerator: string;
  readonly placement: Placement['kind'];
  readonly faultMap?: string | undefined;
  /** How the fault map is read, and where it lies in the weight memory. */
  readonly mapOptions?: MeasuredMapOptions | undefined;
  /** Needed by a clip that names no file of its own. */
  readonly thresholds?: string | undefined;
  readonly mitigation: Mitigation;
  /** Of a clip that says none; default: `accumulator`. */
  readonly clipPosition?: ClipPosition | undefined;
}

/**
 * The weights that the datapath reads differently from those of the network; undefined: none is asked for.
 *
 * @param checkMap called with the fault map before it is used
 * @throws InputError when the accelerator, the fault map or a part in the weight memory does not fit
 */
export function weightsRead(
  options: ProtectedNetwork,
  network: Network,
  checkMap: (map: FaultMap) => void = () => {},
): WeightPatches | undefined {
  const { faultMap, mapOptions = {} } = options;
  const accelerator = loadAccelerator(options.accelerator);
  const parts = memoryPartsOf(options.mitigation);
  if (faultMap === undefined && parts.length === 0) return undefined;
  const placement = placeOnNamed(options.accelerator, () =>
    placeNetwork(network, accelerator, options.placement),
  );
  const side = memorySideOf(parts, { network, placement });
  if (faultMap === undefined) return side.faultFree;
  const { geometry, memory } = placement;
  const map = loadMeasuredMap(faultMap, mapOptions, { geometry, columnMux: memory.columnMux });
  checkMap(map);
  return side.patchesOf(map, undefined, undefined, undefined, knownMapsOfFile(map));
}

/** What a mitigation puts behind the accumulators, with thresholds from its own file or that of the options. */
export function clipOf(
  { mitigation, thresholds, clipPosition = 'accumulator' }: ProtectedNetwork,
  network: Network,
): ActivationSide {
  const find = ({ file = thresholds }: { readonly file: string | undefined }) => {
    if (file === undefined) {
      throw new InputError(`mitigation ${mitigation.name} needs --thresholds FILE`);
    }
    return { thresholds: readThresholds(file), where: file };
  };
  return activationSideOf(mitigation, network, find, { position: clipPosition });
}

/** A network whose weights are those that the datapath reads, and how many of them differ from the stored ones. */
export interface FaultedNetwork {
  readonly network: Network;
  readonly changedWeights: number;
}

/**
 * A network with the weights that the datapath reads under a fault map and what protects the weight memory.
 *
 * @throws InputError as `weightsRead`; of an intermittent map, whose weights differ from image to image
 */
export function faultedNetwork(options: ProtectedNetwork, network: Network): FaultedNetwork {
  const patches = weightsRead(options, network, (map) => requirePermanent(map, options.faultMap));
  if (patches === undefined) return { network, changedWeights: 0 };
  return {
    network: network.format === 'int8' ? withWords(network, patches) : withWords(network, patches),
    changedWeights: patches.weights.length,
  };
}

function requirePermanent({ provenance }: FaultMap, file: string | undefined): void {
  if (provenance.source !== 'generated') return;
  const { activeProbability } = provenance.model;
  if (activeProbability === undefined || activeProbability === 1) return;
  throw new InputError(
    `${file}: its faults are intermittent (each is active for an image with probability ${activeProbability}), so no one set of weights stands for them: give a map of faults that are always there, or use \`bitcell run --fault-map\``,
  );
}
