import { type UniformFaults, uniformFaultMap } from '../../fault/index.js';
import { loadKernels } from '../../kernels/index.js';
import { accumulatorDistributions, type LayerDistribution } from '../../mitigation/index.js';
import { type ImageSet, type Network, normalize } from '../../models/index.js';
import {
  applyFaultMap,
  batchWithinMemory,
  createNetworkDatapath,
  DEFAULT_ACCELERATOR,
  loadAccelerator,
  placeNetwork,
  storedWords,
} from '../../sim/index.js';
import { requireCifar10Network } from '../inputs/cifar10-network.js';
import { BATCH } from '../trial/trial-runner.js';

/** Distributions of a network's accumulators under one fault map. */
export interface NetworkDistributions {
  /** Fault rate; 0: no faults. */
  readonly rate: number;
  readonly layers: readonly LayerDistribution[];
}

/**
 * Distributions of the accumulators of an unprotected network on the first `images` images of a set, clean and under
 * a fault map of its resident weight memory at each rate; maps of one seed are nested in the rate.
 *
 * @throws InputError when the network is not made for CIFAR-10
 */
export function profileDistributions(
  network: Network,
  training: ImageSet,
  images: number,
  { rates, faults, seed }: { rates: readonly number[]; faults: UniformFaults; seed: number },
): NetworkDistributions[] {
  requireCifar10Network(network);
  const datapath = createNetworkDatapath(
    network,
    loadKernels(),
    batchWithinMemory(network, BATCH, 0.5),
  );
  const inputs = normalize(
    training,
    Uint32Array.from({ length: images }, (_, index) => index),
  );
  const placement = placeNetwork(network, loadAccelerator(DEFAULT_ACCELERATOR), 'resident');
  const words = storedWords(network);
  return [0, ...rates.filter((rate) => rate > 0)].map((rate) => {
    const { geometry } = placement;
    const map = uniformFaultMap({ geometry, rate, faults, seed, trial: 0 });
    const patches = applyFaultMap(map, placement, words);
    return { rate, layers: accumulatorDistributions(datapath, inputs, images, patches) };
  });
}
