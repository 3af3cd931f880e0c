import { InputError } from '../../core/index.js';
import type { Datapath } from '../datapath/datapath.js';
import { sampleLength } from '../datapath/samples.js';
import { type Disturbance, isOfWeightsAlone } from '../disturbance/disturbance.js';

/** Longer lists of patches are not compared: two images hardly ever share one. */
const LONGEST_COMPARED = 1024;

/**
 * Run images whose faults differ from image to image, as intermittent ones do. Each image gets the outputs that it gets
 * alone with its disturbance. Images with equal patches and nothing else (often none at all) run together; the others
 * one by one, because their weights differ. Afterwards the datapath is undisturbed.
 *
 * @param images float32, normalised, image × channel × row × column
 * @param disturbanceOf the disturbance of image 0 ≤ image < count, called once for each; undefined is none
 * @returns outputs, count × classes
 * @throws InputError when there are fewer values than the images need
 */
export function runPerImage(
  datapath: Datapath,
  images: Float32Array,
  count: number,
  disturbanceOf: (image: number) => Disturbance | undefined,
): Float32Array {
  const { network, classes } = datapath;
  const imageLength = sampleLength(network);
  if (images.length < count * imageLength) {
    throw new InputError(
      `${network.name} takes images of ${imageLength} values, but ${count} images came with ${images.length} values`,
    );
  }
  const outputs = new Float32Array(count * classes);

  function runTogether(members: readonly number[], disturbance: Disturbance | undefined): void {
    const inputs = new Float32Array(members.length * imageLength);
    for (const [place, image] of members.entries()) {
      inputs.set(
        images.subarray(image * imageLength, (image + 1) * imageLength),
        place * imageLength,
      );
    }
    datapath.setDisturbance(disturbance);
    const results = datapath.run(inputs, members.length);
    for (const [place, image] of members.entries()) {
      outputs.set(results.subarray(place * classes, (place + 1) * classes), image * classes);
    }
  }

  interface Group {
    readonly disturbance: Disturbance | undefined;
    readonly members: number[];
  }
  const groups = new Map<string, Group>();
  try {
    for (let image = 0; image < count; image += 1) {
      const disturbance = disturbanceOf(image);
      const key = keyOf(disturbance);
      if (key === undefined) {
        runTogether([image], disturbance);
        continue;
      }
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { disturbance, members: [image] });
      else group.members.push(image);
    }
    for (const { disturbance, members } of groups.values()) runTogether(members, disturbance);
  } finally {
    datapath.setDisturbance(undefined);
  }
  return outputs;
}

/** What equal patches have in common; undefined: they are too many to compare, or there is more than patches. */
function keyOf(disturbance: Disturbance = {}): string | undefined {
  if (!isOfWeightsAlone(disturbance)) return undefined;
  const { weights, words } = disturbance.weights ?? { weights: [], words: [] };
  return weights.length > LONGEST_COMPARED ? undefined : `${weights.join()};${words.join()}`;
}
