import { createTrialRunner, parseStudy, prepareStudy } from 'bitcell/campaign';
import { featureCount, multiplyAccumulates } from 'bitcell/core';
import { loadKernels } from 'bitcell/kernels';
import { unitsOfSide } from 'bitcell/mitigation';
import { inputsOf, isOnArray } from 'bitcell/models';
import { createNetworkDatapath, differingLayers } from 'bitcell/sim';
import { workloadInputs } from 'bitcell/workload';
import { measurement } from '../measure.mjs';
import { patchesOfMaps } from './faulty-network.mjs';

/**
 * How much of the work of a trial with none and clip is the same in both: multiply-accumulates of a layer for an image
 * whose input tensor has the same bits, and what doing them once could gain at most. `measured`: time of trials with one
 * mitigation each over that of trials with both, which do share, taking turns; medians over maps.
 *
 * @param {{ model: string, format: 'int8' | 'float32', rates: readonly number[], maps: number, images: number }} options
 */
export function commonPrefixes({ model, format, rates, maps, images }) {
  const study = parseStudy({ model, format, rates, mitigations: ['none', 'clip'], images });
  const { data } = prepareStudy(study);
  const kernels = loadKernels();
  const [one] = data.networks;
  const { network } = one;
  const datapath = createNetworkDatapath(network, kernels, images);
  const inputs = workloadInputs(
    data.workload,
    Uint32Array.from({ length: images }, (_, image) => image),
  );
  const mitigations = study.mitigations.map(({ name }) => name);
  const units = mitigations.map((name) => unitsOfSide(one.sides.get(name), network));
  const run = createTrialRunner(data, kernels, { engine: 'incremental', deltaBytes: 0 });
  // Fault-free runs of all images, which are the same in both.
  for (let map = 0; map < maps; map += 1) {
    run({ condition: 0, map, images, mitigations });
  }
  return {
    ...{ format, maps, images },
    rates: rates.map((rate, condition) => {
      const patchesOf = patchesOfMaps(data, condition);
      let total = 0;
      let common = 0;
      for (let map = 0; map < maps; map += 1) {
        const patches = patchesOf(map);
        const first = differingLayers(network, { weights: patches })?.first;
        if (first === undefined) continue;
        datapath.setDisturbance({ weights: patches });
        const [none, clip] = units.map((unit) => {
          datapath.setActivationUnits(unit);
          /** @type {Uint32Array[] | Uint8Array[]} */
          const tensors = [];
          datapath.run(inputs, images, {
            tensor(tensor, values) {
              const copy = values.slice();
              // NaNs of equal bits are equal.
              tensors[tensor] =
                copy instanceof Uint8Array ? copy : new Uint32Array(copy.buffer, 0, copy.length);
            },
          });
          return tensors;
        });
        for (const layer of network.layers.slice(first)) {
          if (!isOnArray(layer)) continue;
          const products = multiplyAccumulates(layer.shape);
          const [tensor] = inputsOf(layer);
          const length = featureCount(network.tensors[tensor].shape);
          for (let image = 0; image < images; image += 1) {
            total += 2 * products;
            const range = [image * length, (image + 1) * length];
            const values = none[tensor].subarray(...range);
            const others = clip[tensor].subarray(...range);
            if (values.every((value, at) => value === others[at])) common += products;
          }
        }
      }
      const ratios = Array.from({ length: maps }, (_, map) => {
        const seconds = [['none'], ['clip'], ['none', 'clip']].map((mitigations) => {
          const started = performance.now();
          run({ condition, map, images, mitigations: /** @type {any} */ (mitigations) });
          return performance.now() - started;
        });
        return (seconds[0] + seconds[1]) / seconds[2];
      });
      if (total === 0) throw new Error(`no fault at rate ${rate} in ${maps} maps: take more`);
      return {
        ...{ rate, share: common / total, mostGain: total / (total - common) },
        measured: measurement('apart over together', '1', ratios),
      };
    }),
  };
}
