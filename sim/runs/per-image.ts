import { featureCount, InputError } from '../../core/index.js';
import type { Datapath } from '../datapath/datapath.js';
import type { WeightPatches } from '../disturbance/patches.js';

/** Longer lists of patches are not compared: two images hardly ever share one. */
const LONGEST_COMPARED = 1024;

/**
 * Run images whose faulty words differ from image to image, as with intermittent faults. Each image gets the
 * outputs that it gets alone with its patches. Images with equal patches (often none at all) run together;
 * the others one by one, because their weights differ. Afterwards the datapath holds no patches.
 *
 * @param images float32, normalised, image × channel × row × column
 * @param patchesOf the patches of image 0 ≤ image < count, called once for each; undefined is none
 * @returns outputs, count × classes
 * @throws InputError when there are fewer values than the images need
 */
export function runWithPatchesPerImage(
  datapath: Datapath,
  images: Float32Array,
  count: number,
  patchesOf: (image: number) => WeightPatches | undefined,
): Float32Array {
  const { network, classes } = datapath;
  const imageLength = featureCount(network.tensors[network.input].shape);
  if (images.length < count * imageLength) {
    throw new InputError(
      `${network.name} takes images of ${imageLength} values, but ${count} images came with ${images.length} values`,
    );
  }
  const outputs = new Float32Array(count * classes);

  function runTogether(members: readonly number[], patches: WeightPatches | undefined): void {
    const inputs = new Float32Array(members.length * imageLength);
    for (const [place, image] of members.entries()) {
      inputs.set(
        images.subarray(image * imageLength, (image + 1) * imageLength),
        place * imageLength,
      );
    }
    datapath.setPatches(patches);
    const results = datapath.run(inputs, members.length);
    for (const [place, image] of members.entries()) {
      outputs.set(results.subarray(place * classes, (place + 1) * classes), image * classes);
    }
  }

  const groups = new Map<string, { patches: WeightPatches | undefined; members: number[] }>();
  try {
    for (let image = 0; image < count; image += 1) {
      const patches = patchesOf(image);
      if (patches !== undefined && patches.weights.length > LONGEST_COMPARED) {
        runTogether([image], patches);
        continue;
      }
      const key = patches ? `${patches.weights.join()};${patches.words.join()}` : ';';
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { patches, members: [image] });
      else group.members.push(image);
    }
    for (const { patches, members } of groups.values()) runTogether(members, patches);
  } finally {
    datapath.setPatches(undefined);
  }
  return outputs;
}
