import { parseStudy, prepareStudy } from '../../dist/campaign/index.js';
import { featureCount, multiplyAccumulates } from '../../dist/core/index.js';
import { compileKernels } from '../../dist/kernels/index.js';
import { activationUnits } from '../../dist/mitigation/index.js';
import { inputsOf, isWeighted, normalize } from '../../dist/models/index.js';
import { createNetworkDatapath, patchedLayers } from '../../dist/sim/index.js';
import { patchesOfMaps } from './faulty-network.mjs';

/**
 * How much of the work of a trial with none and clip is the same in both: multiply-accumulates of a layer for an image
 * whose input tensor has the same bits. Executing both in lockstep could do these once, and would gain at most `gain`.
 *
 * @param {{ model: string, format: string, rates: readonly number[], maps: number, images: number }} options
 */
export function commonPrefixes({ model, format, rates, maps, images }) {
  const study = parseStudy({ model, format, rates, mitigations: ['none', 'clip'], images });
  const { data } = prepareStudy(study);
  const [one] = data.networks;
  const { network } = one;
  const datapath = createNetworkDatapath(network, compileKernels(), images);
  const inputs = normalize(
    data.dataset,
    Uint32Array.from({ length: images }, (_, image) => image),
  );
  const units = study.mitigations.map((mitigation) =>
    activationUnits(mitigation, network, one.thresholds.get(mitigation) ?? new Map()),
  );
  return {
    ...{ format, maps, images },
    rates: rates.map((rate, condition) => {
      const patchesOf = patchesOfMaps(data, condition);
      let total = 0;
      let common = 0;
      for (let map = 0; map < maps; map += 1) {
        const patches = patchesOf(map);
        const first = patchedLayers(network, patches)?.first;
        if (first === undefined) continue;
        datapath.setPatches(patches);
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
          if (!isWeighted(layer)) continue;
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
      return { rate, share: common / total, gain: total / (total - common) };
    }),
  };
}
