import fc from 'fast-check';
import {
  type ConvolutionShape,
  createRandomStream,
  featureCount,
  windowSize,
} from '../../core/index.js';
import type {
  FaultySumsSpecification,
  SumGroup,
  SumPart,
  SumSteps,
  WordMasks,
} from '../../kernels/index.js';
import { convolutionShape, imageCount } from './arbitraries.js';

export interface FaultySumsCase {
  readonly specification: FaultySumsSpecification;
  readonly input: Uint8Array | Float32Array;
  readonly images: number;
}

/** Words drawn in turn from one stream. */
interface Words {
  /** 32 bits. */
  next(): number;
  below(bound: number): number;
  /** Whether an event of this share happens. */
  happens(share: number): boolean;
}

function words(seed: number): Words {
  const random = createRandomStream(seed, 0, 5);
  let index = 0;
  const next = () => random.integerBelow(2 ** 32, index++);
  const below = (bound: number) => next() % bound;
  return { next, below, happens: (share) => next() < share * 2 ** 32 };
}

/** How often, and by what, sums are disturbed. */
interface Disturbance {
  /** Of the places of a window; beyond 1: each of them. */
  readonly density: number;
  readonly productShare: number;
  /** The same masks at all steps, as a register of an output-stationary array has. */
  readonly uniform: boolean;
  /** Steps come at every so many places, as under weight-stationary, not at random ones. */
  readonly period: number | undefined;
  /** Flips of bits that no exponent of a float32 number has. */
  readonly mild: boolean;
}

const disturbance: fc.Arbitrary<Disturbance> = fc.record({
  density: fc.constantFrom(0, 0.02, 0.1, 0.4, 0.9, 2),
  productShare: fc.constantFrom(0, 0.1, 0.5, 1),
  uniform: fc.boolean(),
  period: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  mild: fc.boolean(),
});

function randomMasks(random: Words, sound: boolean, mild: boolean): [number, number, number] {
  if (sound) return [0xffffffff, 0, 0];
  const bits = () => {
    const one = 1 << random.below(32);
    const mask = random.happens(0.7) ? one : random.next() & random.next();
    return (mild ? mask & 0x803fffff : mask) >>> 0;
  };
  const [kind, other] = [random.below(4), random.below(4)];
  return [
    kind === 0 || other === 0 ? ~bits() >>> 0 : 0xffffffff,
    kind === 1 || other === 1 ? bits() : 0,
    kind === 2 || other === 2 ? bits() : 0,
  ];
}

function randomSteps(random: Words, window: number, how: Disturbance): SumSteps {
  const { density, productShare, uniform, period, mild } = how;
  const offset = random.below(period ?? 1);
  const at: number[] = [];
  for (let k = 0; k < window; k++) {
    const struck = period === undefined ? random.happens(density) : k % period === offset;
    if (struck) at.push(k);
  }
  const hasProducts = random.happens(productShare);
  const draw = () => ({
    product: randomMasks(random, !(hasProducts && random.happens(productShare)), mild),
    sum: randomMasks(random, random.happens(0.2), mild),
  });
  const one = draw();
  const masks = at.map(() => (uniform ? one : draw()));
  const list = (which: 'product' | 'sum'): WordMasks => ({
    and: Uint32Array.from(masks, (mask) => mask[which][0]),
    or: Uint32Array.from(masks, (mask) => mask[which][1]),
    xor: Uint32Array.from(masks, (mask) => mask[which][2]),
  });
  return { at: Uint32Array.from(at), product: list('product'), sum: list('sum') };
}

/** Ascending numbers below `count`, each with this share. */
function subset(random: Words, count: number, share: number): Uint32Array {
  const all = Uint32Array.from({ length: count }, (_, index) => index);
  return all.filter(() => random.happens(share));
}

const PATHOLOGICAL = [1e38, -3.4e38, Infinity, -Infinity, NaN, 1e-45, -1e-40, 0, -0];

/** Most products that the reference makes in one case. */
const MOST_PRODUCTS = 60_000;

interface Choices {
  readonly format: 'int8' | 'float32';
  readonly shape: ConvolutionShape;
  readonly images: number;
  readonly seed: number;
  readonly inputZeroPoint: number;
  readonly extreme: boolean;
  readonly share: number;
  readonly disturbances: readonly Disturbance[];
}

function caseOf(choices: Choices): FaultySumsCase {
  const { format, shape, images, seed, extreme, share, disturbances } = choices;
  const random = words(seed);
  const isInt8 = format === 'int8';
  const window = windowSize(shape);
  const { channels, height, width } = shape.output;
  const groupChannels = channels / shape.groups;
  const real = () => {
    if (extreme && random.happens(0.05)) return PATHOLOGICAL[random.below(PATHOLOGICAL.length)];
    return random.next() / 2 ** 31 - 1;
  };
  const integer = () => (extreme && random.happens(0.5) ? -255 : random.below(511) - 255);
  const weights = (count: number) =>
    isInt8
      ? Int16Array.from({ length: count }, integer)
      : Float32Array.from({ length: count }, real);
  const bias = isInt8
    ? Int32Array.from({ length: channels }, () =>
        extreme ? 2 ** 31 - 1 - random.below(9) : random.below(9999),
      )
    : Float32Array.from({ length: channels }, real);

  let products = 0;
  const shared: SumPart['weights'][] = [];
  const groups = disturbances.map((_, number): SumGroup => {
    const positions = subset(random, height * width, share);
    const parts: SumPart[] = [];
    for (const how of disturbances.slice(number)) {
      const convolutionGroup = random.below(shape.groups);
      const own = subset(random, groupChannels, share).map(
        (channel) => channel + convolutionGroup * groupChannels,
      );
      products += images * positions.length * own.length * window;
      if (products > MOST_PRODUCTS) break;
      // Parts may share weights, whether or not their steps agree.
      const same = shared.find(({ length }) => length === own.length * window);
      const values = same && random.happens(0.7) ? same : weights(own.length * window);
      shared.push(values);
      const steps = randomSteps(random, window, how);
      parts.push({ channels: own, weights: values, steps });
      if (random.happens(0.3)) parts.push({ channels: own, weights: values, steps });
    }
    return { positions, parts };
  });
  const length = images * featureCount(shape.input);
  return {
    specification: {
      format,
      shape,
      inputZeroPoint: isInt8 ? choices.inputZeroPoint : 0,
      bias,
      groups,
    },
    images,
    input: isInt8
      ? Uint8Array.from({ length }, () => (extreme && random.happens(0.5) ? 255 : random.next()))
      : Float32Array.from({ length }, real),
  };
}

/** Random shapes, groups of positions, parts and steps; weights, biases and masks at which int32 wraps and float32 is NaN. */
export function faultySumsCase(format: 'int8' | 'float32'): fc.Arbitrary<FaultySumsCase> {
  return fc
    .record({
      format: fc.constant(format),
      shape: convolutionShape,
      images: imageCount,
      seed: fc.nat(),
      inputZeroPoint: fc.constantFrom(0, 1, 128, 255),
      extreme: fc.boolean(),
      share: fc.constantFrom(0.1, 0.5, 1),
      disturbances: fc.array(disturbance, { minLength: 1, maxLength: 3 }),
    })
    .map(caseOf);
}
