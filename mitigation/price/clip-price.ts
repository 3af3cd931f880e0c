import { arrayLayers, type Network } from '../../models/index.js';
import { type ClipPosition, type ClipUse, requireClipPosition } from '../activations/clip.js';
import {
  type Granularity,
  PROFILE_GRANULARITY,
  thresholdCount,
} from '../thresholds/granularity.js';
import { COMPARING, type PartPrice } from './price.js';

/** Bits of a threshold by where its clip stands: an accumulator's, or a stored output's. */
const THRESHOLD_BITS: Readonly<Record<ClipPosition, number>> = { accumulator: 32, requantised: 8 };

/** What its price depends on of a clip. */
interface PricedClip {
  readonly use: ClipUse;
  readonly granularity?: Granularity | undefined;
  readonly position?: ClipPosition | undefined;
  readonly layers?: readonly string[] | undefined;
}

/**
 * What a clip takes: its thresholds. Without a granularity they are as fine as a profile makes them, those that a search
 * found one for a layer; without layers those with an activation function are clipped.
 *
 * @throws InputError when there is no such layer, or nothing at this position
 */
export function clipPrice(
  { use, granularity, position = 'accumulator', layers }: PricedClip,
  network: Network,
): PartPrice {
  requireClipPosition(network, position);
  const fineness =
    use === 'clip-tuned' ? 'layer' : (granularity ?? PROFILE_GRANULARITY[network.format]);
  const activated = arrayLayers(network).filter(({ relu }) => relu);
  const clipped = layers ?? activated.map(({ name }) => name);
  return {
    ...COMPARING,
    cells: clipped.map((name) => ({
      hold: `thresholds of ${name}`,
      count: THRESHOLD_BITS[position] * thresholdCount(network, name, fineness),
    })),
    // Clips stand behind the accumulators.
    levels: 0,
  };
}
