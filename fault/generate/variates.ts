import type { RandomStream } from '../../core/index.js';

/** Independent uniform numbers in [0, 1), one after the other. */
export type UniformSource = () => number;

/** The numbers of a stream from the one of an index on, by default from its first. */
export function sourceOf(stream: RandomStream, first = 0): UniformSource {
  let index = first;
  return () => {
    index += 1;
    return stream.uniform(index - 1);
  };
}

/** An exponential variate of mean 1, by inversion. */
export function exponential(next: UniformSource): number {
  return -Math.log1p(-next());
}

/** A standard normal variate: Box and Muller, Annals of Mathematical Statistics 29 (1958); one of the pair. */
export function normal(next: UniformSource): number {
  const radius = Math.sqrt(2 * exponential(next));
  return radius * Math.cos(2 * Math.PI * next());
}

/**
 * A gamma variate of the given shape and mean 1: Marsaglia and Tsang, "A simple method for generating
 * gamma variables", ACM TOMS 26 (2000), with their reduction of shapes below 1 to shape + 1.
 */
export function gammaOfMeanOne(shape: number, next: UniformSource): number {
  const boosted = shape < 1 ? shape + 1 : shape;
  const d = boosted - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(next);
    const v = (1 + c * x) ** 3;
    const u = 1 - next();
    if (v > 0 && Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      const scaled = (d * v) / shape;
      return shape < 1 ? scaled * (1 - next()) ** (1 / shape) : scaled;
    }
  }
}
