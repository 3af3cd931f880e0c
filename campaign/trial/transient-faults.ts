import { createRandomStream, InputError, PURPOSE, type RandomStream } from '../../core/index.js';
import {
  type PlacedStorage,
  storageSeed,
  type TransientFault,
  type TransientSites,
} from '../../sim/index.js';

/** What decides which transient faults an image has. */
export interface TransientDraw {
  readonly seed: number;
  /** Number of the map: each has draws of its own. */
  readonly map: number;
  /** Index of the image in the data set. */
  readonly image: number;
  /** Share of the sites that are struck, or how many. */
  readonly level: { readonly rate: number; readonly faultCount?: number | undefined };
  /** Whether map k strikes place k and no other. */
  readonly isExhaustive?: boolean | undefined;
}

/** The most transient faults of an image. */
const MOST_FAULTS = 1_000_000;

/** Storages of one memory have one seed, and draws of their own. */
const DRAWS_OF_IMAGE = 2;

/**
 * The transient faults of an image in one storage: distinct sites, of which the number is that of the level, or ⌊rate ·
 * sites⌋ and perhaps one more, by chance. A function of its arguments alone.
 *
 * @throws InputError when they are too many
 */
export function drawTransientFaults(
  { count: siteCount, faultAt }: TransientSites,
  storage: Pick<PlacedStorage, 'name'>,
  { seed, map, image, level: { rate, faultCount }, isExhaustive }: TransientDraw,
): TransientFault[] {
  if (isExhaustive) return map < siteCount ? [faultAt(map)] : [];
  const stream = (purpose: number): RandomStream => {
    const draw = DRAWS_OF_IMAGE * image + (storage.name === 'inputs' ? 1 : 0);
    return createRandomStream(storageSeed(seed, storage.name), map, purpose + 64 * draw);
  };
  const expected = rate * siteCount;
  const whole = Math.floor(expected);
  const isOneMore = () => stream(PURPOSE.transientCount).uniform(0) < expected - whole;
  const faults = faultCount ?? whole + (isOneMore() ? 1 : 0);
  if (faults > Math.min(siteCount, MOST_FAULTS)) {
    throw new InputError(
      `${faults} transient faults an image in ${storage.name}, which has ${siteCount} places for them; the most is ${MOST_FAULTS}: give a lower rate`,
    );
  }
  const places = stream(PURPOSE.transientPlace);
  const sites = new Set<number>();
  for (let draw = 0; sites.size < faults; draw += 1)
    sites.add(places.integerBelow(siteCount, draw));
  return [...sites].sort((one, other) => one - other).map(faultAt);
}
