import { multiplyAccumulates } from '../../core/index.js';
import { activationUnits, type LayerThresholds } from '../../mitigation/index.js';
import { isOnArray, type Network } from '../../models/index.js';
import type { Datapath, RestartPoint } from '../../sim/index.js';
import { valuesAt } from './start-point.js';

/** A datapath that runs layers by the range and counts what it computes. */
export interface LayerRunner {
  readonly datapath: Datapath;
  /** Multiply-accumulates done since the last `reset`. */
  readonly products: number;
  reset(): void;
  install(thresholds: LayerThresholds): void;
  /** Run the layers `first` … `end` − 1 for the first `images` images of their input tensors. */
  run(first: number, end: number, images: number): void;
  /** Put images, `first` … `first + size` − 1 of `values`, into the tensor of a point. */
  load(
    point: RestartPoint,
    values: Uint8Array | Float32Array | readonly (Uint8Array | Float32Array)[],
    first: number,
    size: number,
  ): void;
}

export function createLayerRunner(network: Network, datapath: Datapath): LayerRunner {
  const productsOfLayer = network.layers.map((layer) =>
    isOnArray(layer) ? multiplyAccumulates(layer.shape) : 0,
  );
  let products = 0;
  return {
    datapath,
    get products() {
      return products;
    },
    reset() {
      products = 0;
    },
    install(thresholds) {
      datapath.setActivationUnits(activationUnits('clip-tuned', network, thresholds));
    },
    run(first, end, images) {
      for (let layer = first; layer < end; layer += 1) {
        datapath.runLayer(layer, images);
        products += images * productsOfLayer[layer];
      }
    },
    load(point, values, first, size) {
      const length = valuesAt(network, point);
      const tensor = datapath.tensors[point.tensor];
      if (ArrayBuffer.isView(values)) {
        tensor.set(values.subarray(first * length, (first + size) * length));
        return;
      }
      for (let image = 0; image < size; image += 1) {
        tensor.set(values[first + image], image * length);
      }
    },
  };
}
