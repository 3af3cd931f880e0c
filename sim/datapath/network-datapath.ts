import { featureCount, ModelError, memoryForData, requireMemory } from '../../core/index.js';
import {
  createBackend,
  type KernelCode,
  type KernelNeeds,
  wasmBytesNeeded,
} from '../../kernels/index.js';
import {
  arrayLayers,
  type IslandLayer,
  isIsland,
  type Layer,
  type Network,
  WORD_BITS,
} from '../../models/index.js';
import { islandBytes, requireIslandRuntime } from '../islands/index.js';
import { networkWeights } from '../memory/shared-slots.js';
import { createDatapath, type Datapath, scratchLength } from './datapath.js';
import { arithmeticOf } from './layer-kernels.js';

/** Bytes of the weights of a network, which most of its file is. */
function weightBytes(network: Network): number {
  return (networkWeights(network) * WORD_BITS[network.format]) / 8;
}

/** What a datapath asks of its kernels that computes `images` images together. */
function datapathNeeds(network: Network, images: number): KernelNeeds {
  const scratch = scratchLength(network);
  return {
    convolutions: arrayLayers(network).map((layer) => ({
      shape: layer.shape,
      format: arithmeticOf(network, layer) === 'float32' ? 'float32' : 'int8',
    })),
    tensors: [
      ...network.tensors.map(({ shape, quantization }) => ({
        format: quantization ? ('uint8' as const) : ('float32' as const),
        length: featureCount(shape),
      })),
      ...(scratch > 0 ? [{ format: 'uint8' as const, length: scratch }] : []),
    ],
    images,
  };
}

function islandsOf({ layers }: Network): IslandLayer[] {
  return (layers as readonly Layer[]).filter(isIsland);
}

/** Bytes that onnxruntime takes for the islands of a network, however many images are computed together. */
function bytesOfIslands(network: Network): number {
  const { tensors } = network;
  return islandsOf(network)
    .map((layer) =>
      islandBytes(
        layer,
        layer.inputs.map((tensor) => tensors[tensor]),
      ),
    )
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes that such a datapath takes: with the kernels in WebAssembly, which take the most. */
function datapathBytes(network: Network, images: number): number {
  return wasmBytesNeeded(datapathNeeds(network, images)) + bytesOfIslands(network);
}

/**
 * How many images, `most` at most and 1 at least, a datapath can compute together within the memory limit.
 *
 * @param share part of the memory that the datapath may take
 * @throws InputError as `requireDatapath` does, where not even one image can be computed
 */
export function batchWithinMemory(network: Network, most: number, share = 1): number {
  const oneImage = requireDatapath(network, 1);
  const fixed = datapathBytes(network, 0);
  const perImage = oneImage - fixed;
  const left = share * memoryForData(weightBytes(network)) - fixed;
  return Math.max(1, Math.min(most, Math.floor(left / perImage)));
}

/**
 * How many images, `most` at most and 1 at least, a datapath can compute together whose tensors take so many bytes. A
 * function of the network alone.
 */
export function batchWithinBytes(network: Network, most: number, bytes: number): number {
  const perImage = datapathBytes(network, 1) - datapathBytes(network, 0);
  return Math.max(1, Math.min(most, Math.floor(bytes / perImage)));
}

/**
 * Checks that a datapath of a network can be made, without making one.
 *
 * @returns the bytes that it takes
 * @throws InputError naming the network's file when that is more than the memory limit
 * @throws InputError naming it when it has islands and there is no onnxruntime for them
 * @throws ModelError naming it when its layers are beyond the kernels
 */
export function requireDatapath(network: Network, batch: number): number {
  const name = network.source ?? network.name;
  let bytes: number;
  try {
    bytes = datapathBytes(network, batch);
  } catch (error) {
    if (error instanceof ModelError) {
      throw new ModelError(`${name}: ${error.message}`, { cause: error });
    }
    throw error;
  }
  const images = batch === 1 ? 'an image' : `${batch} images together`;
  requireMemory(bytes, `${name}: computing ${images}`, weightBytes(network));
  for (const island of islandsOf(network)) requireIslandRuntime(island, name);
  return bytes;
}

/**
 * A datapath on kernels that were loaded, in a memory of its own that is sized once.
 *
 * @param batch images computed together (a matter of speed only)
 * @throws InputError as `requireDatapath` does
 */
export function createNetworkDatapath(
  network: Network,
  kernels: KernelCode,
  batch: number,
): Datapath {
  requireDatapath(network, batch);
  return createDatapath(network, createBackend(kernels, datapathNeeds(network, batch)), batch);
}
