import {
  accuracyInterval,
  clopperPearson,
  crossedAccuracyInterval,
  type ImagesOfMaps,
  type Interval,
  imagesOfMap,
  mean,
  unevenAccuracyInterval,
} from '../statistics/index.js';
import { decodeImageSet } from '../trial/sample-set.js';

/** Images that count, for a share of images over maps. */
export interface ShareCounts {
  /** For each map. */
  readonly counts: readonly number[];
  readonly images: ImagesOfMaps;
  /** Whether the maps are drawn; a given map is not, only its images are. */
  readonly drawn: boolean;
  /** Where all maps have the same images, or the first ones of them. */
  readonly shared?: SharedImages | undefined;
}

/** Images that count, where maps share them. */
export interface SharedImages {
  /** The maps for which each image counts. */
  readonly perImage: readonly number[];
  /** Of each map the images that count (see `encodeImageSet`). */
  readonly places: readonly string[];
}

/** The mean share of the maps, each of which counts once. */
export function meanShare({ counts, images }: Pick<ShareCounts, 'counts' | 'images'>): number {
  if (typeof images !== 'number') {
    return mean(counts.map((count, map) => count / imagesOfMap(images, map)));
  }
  return counts.reduce((total, count) => total + count, 0) / (counts.length * images);
}

/**
 * Interval of a share of images. Maps are drawn, and images afresh for each map, so the shares of the maps are
 * independent and their spread holds both sources; where all maps have the same images, maps and images are two
 * samples that cross. A given map is not drawn: only its images are.
 */
export function shareInterval({ counts, images, drawn, shared }: ShareCounts): Interval {
  if (!drawn) return clopperPearson(counts[0], imagesOfMap(images, 0));
  if (typeof images !== 'number') return unevenInterval(counts, images, shared);
  return shared && images > 1 && counts.length > 1
    ? crossedAccuracyInterval({ perMap: counts, perImage: shared.perImage.slice(0, images) })
    : accuracyInterval(counts, images);
}

/** Of maps with different numbers of images. */
function unevenInterval(
  counts: readonly number[],
  images: readonly number[],
  shared: SharedImages | undefined,
): Interval {
  if (!shared) throw new Error('maps with different numbers of images that are not the same');
  const common = images.reduce((least, count) => Math.min(least, count));
  return unevenAccuracyInterval(
    counts.map((count, map) => count / images[map]),
    {
      perMap: shared.places.map((places) => countBelow(places, common)),
      perImage: shared.perImage.slice(0, common),
    },
  );
}

/** How many of the first so many places a set holds. */
function countBelow(places: string, end: number): number {
  return decodeImageSet(places.slice(0, Math.ceil(end / 4))).filter((place) => place < end).length;
}
