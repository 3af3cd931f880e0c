import { drawIntegersBelow, type StreamAddress } from './bulk-draws.js';
import { InputError } from './errors.js';
import { multiplyHigh, philox4x32 } from './philox.js';

/**
 * What a stream of random numbers is for. Part of the Philox counter, so streams of different
 * purposes never share a value. Results depend on these numbers: never change or reuse one. All are
 * below 64: fault maps put a part of the memory and a region into the bits above.
 */
export const PURPOSE = {
  /** Fraction that decides whether the number of faults is rounded up; one draw per trial. */
  faultCount: 1,
  /** Order in which cells fail. */
  faultOrder: 2,
  /** Stuck-at-0 or stuck-at-1; indexed by the cell. */
  faultKind: 3,
  /** Which images a trial looks at. */
  imageChoice: 4,
  /** Gamma variate by which a region of clustered faults or a weak line is worse or better than the mean. */
  regionDensity: 16,
  /** Gaps between the faults of a region or line, in units of expected faults. */
  faultArrival: 17,
  /** Centres of clusters and the distances of their satellites; rows of the faults of weak lines. */
  clusterPlace: 18,
  /** Whether an intermittent fault is active for an image; indexed by the cell. */
  faultActivity: 19,
  /** Whether a fault is known to those who see a part of a map; indexed by the cell. */
  faultKnowledge: 20,
  /** The seed of the maps of a storage, from that of the study; indexed by the memory instead of a trial. */
  storageSeed: 21,
  /** How many transient faults an image has, and where; indexed by the fault. */
  transientCount: 22,
  transientPlace: 23,
  /** Which given samples serve to profile thresholds. */
  calibrationChoice: 24,
} as const;

/** Random numbers addressed by index: every draw is a pure function of the stream and its index. */
export interface RandomStream {
  /** For compiled code that draws by itself. */
  readonly address: StreamAddress;
  /** A float64 in [0, 1), a multiple of 2⁻⁵³; `index` is a whole number from 0 to 2⁵³ − 1. */
  uniform(index: number): number;
  /**
   * A whole number in [0, bound), for a whole `bound` from 1 to 2⁵³. The probability of each value
   * differs from 1/bound by less than 2⁻⁶⁴ (the multiplication method without rejection of Lemire,
   * "Fast random integer generation in an interval", ACM TOMACS 2019).
   */
  integerBelow(bound: number, index: number): number;
  /**
   * Fill `target` with `integerBelow(bound, first)`, `integerBelow(bound, first + 1)` …: several times as fast for a
   * bound below 2³².
   *
   * @param target a Uint32Array only if `bound` is at most 2³²
   */
  integersBelow(bound: number, first: number, target: Uint32Array | Float64Array): void;
}

const WORD = 2 ** 32;

function checkRange(name: string, value: number, limit: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > limit) {
    throw new InputError(`The ${name} is ${value}, but must be a whole number from 0 to ${limit}.`);
  }
}

/**
 * The stream of one (seed, trial, purpose), from Philox4x32-10 with the seed as key and
 * (trial, purpose, index low word, index high word) as counter: no draw depends on any other, so
 * results do not depend on threads or order.
 *
 * @param seed Whole number from 0 to 2⁵³ − 1.
 * @param trial Whole number below 2³².
 * @param purpose One of PURPOSE.
 * @throws InputError when one of them is outside its range.
 */
export function createRandomStream(seed: number, trial: number, purpose: number): RandomStream {
  checkRange('seed', seed, Number.MAX_SAFE_INTEGER);
  checkRange('trial', trial, WORD - 1);
  checkRange('purpose', purpose, WORD - 1);
  const key = Uint32Array.of(seed % WORD, Math.floor(seed / WORD));
  const counter = Uint32Array.of(trial, purpose, 0, 0);
  const words = new Uint32Array(4);

  function draw(index: number): void {
    counter[2] = index;
    counter[3] = Math.floor(index / WORD);
    philox4x32(counter, key, words);
  }

  const stream: RandomStream = {
    address: { key, trial, purpose },
    uniform(index) {
      draw(index);
      return ((words[0] >>> 5) * 2 ** 26 + (words[1] >>> 6)) * 2 ** -53;
    },
    integerBelow(bound, index) {
      draw(index);
      const high = words[0];
      const low = words[1];
      // ⌊(high·2³² + low) · bound / 2⁶⁴⌋ in pieces that a float64 holds exactly. Subtraction instead
      // of %, which is a slow call for float64 operands.
      const boundHigh = Math.floor(bound / WORD);
      const boundLow = bound - boundHigh * WORD;
      const cross = low * boundHigh;
      const crossHigh = Math.floor(cross / WORD);
      const carry =
        (multiplyHigh(low, boundLow) >>> 0) +
        (Math.imul(high, boundLow) >>> 0) +
        (cross - crossHigh * WORD);
      return (
        high * boundHigh +
        (multiplyHigh(high, boundLow) >>> 0) +
        crossHigh +
        Math.floor(carry / WORD)
      );
    },
    integersBelow(bound, first, target) {
      if (target instanceof Uint32Array && bound < WORD && first + target.length <= WORD) {
        drawIntegersBelow({ key, trial, purpose }, bound, first, target);
        return;
      }
      for (let place = 0; place < target.length; place += 1) {
        target[place] = stream.integerBelow(bound, first + place);
      }
    },
  };
  return stream;
}

/**
 * The first `count` members of a random order of 0 … population − 1 (the Fisher–Yates shuffle, one
 * draw per position): distinct, uniform, in drawing order. A smaller count gives a prefix of a
 * larger one. Memory is in proportion to the population.
 *
 * @throws InputError when `count` exceeds the population.
 */
export function sampleWithoutReplacement(
  stream: RandomStream,
  population: number,
  count: number,
): Uint32Array {
  checkRange('sample size', count, population);
  const order = Uint32Array.from({ length: population }, (_, member) => member);
  for (let position = 0; position < count; position += 1) {
    const other = position + stream.integerBelow(population - position, position);
    const chosen = order[other];
    order[other] = order[position];
    order[position] = chosen;
  }
  return order.slice(0, count);
}
