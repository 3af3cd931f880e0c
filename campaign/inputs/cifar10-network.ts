import { featureCount, InputError } from '../../core/index.js';
import type { Network } from '../../models/index.js';

const CLASSES = 10;

/** @throws InputError unless a network takes the images of CIFAR-10 and has an output for each class */
export function requireCifar10Network({ name, tensors, input, output }: Network): void {
  const { channels, height, width } = tensors[input].shape;
  const outputs = featureCount(tensors[output].shape);
  if (channels !== 3 || height !== 32 || width !== 32 || outputs !== CLASSES) {
    throw new InputError(
      `${name} takes images of ${channels} × ${height} × ${width} and has ${outputs} outputs, but CIFAR-10 has images of 3 × 32 × 32 and ${CLASSES} classes`,
    );
  }
}
