import {
  type DieAim,
  type DieLook,
  dieLooks,
  differenceAtLook,
  isSettled,
  type PairedImages,
} from '../statistics/index.js';
import type { Study } from '../study/study.js';

/** What a study says of when its dies end. */
export type EndOfDies = Pick<Study, 'dies' | 'images' | 'within' | 'precision'>;

/** The looks at which a die of a study may end; one alone where it runs all of its images. */
export function looksOfDies({ dies, images }: EndOfDies): readonly DieLook[] {
  if (images === 'pilot') throw new Error('dies of which a pilot chooses the images');
  return dies?.stop === 'never' ? [{ images, confidence: 0.95 }] : dieLooks(images);
}

/** A die under one mitigation at a look. */
export interface DieAtLook {
  readonly paired: PairedImages;
  /** Whether it is the network that it is compared with. */
  readonly isSame: boolean;
}

/**
 * Whether a die has ended: its mitigations end together, so that they have the same images.
 *
 * @param mitigations the die under each of them
 */
export function hasEnded(
  { within, precision }: EndOfDies,
  look: DieLook,
  mitigations: readonly DieAtLook[],
): boolean {
  const aim: DieAim = {
    within: within / 100,
    precision: precision === undefined ? undefined : precision / 100,
  };
  return mitigations.every(({ paired, isSame }) =>
    isSettled(differenceAtLook(paired, look, isSame), aim),
  );
}
