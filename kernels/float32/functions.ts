import { roundHalfEven } from '../quantize.js';
import { erf, sigmoid, tanh } from './transcendental.js';

const { fround } = Math;

/** A function of one float32 number with float32 parameters; gives a float32 number. */
export type RealFunction = (x: number) => number;

export interface NamedFunction {
  /** What the parameters are where a file does not state them, as ONNX has it. */
  readonly defaults: readonly number[];
  of(...parameters: number[]): RealFunction;
}

function plain(evaluate: RealFunction): NamedFunction {
  return { defaults: [], of: () => evaluate };
}

/** A function of the C library or of Eigen: computed in float64 and rounded once. */
function rounded(evaluate: RealFunction): NamedFunction {
  return plain((x) => fround(evaluate(x)));
}

/** fround(log(1 + eˣ)), in the form that does not overflow. */
function softplus(x: number): number {
  return fround(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
}

function hardSigmoid(x: number, alpha: number, beta: number): number {
  return Math.max(0, Math.min(1, fround(fround(alpha * x) + beta)));
}

function exponentialLess1(x: number): number {
  return fround(fround(Math.exp(x)) - 1);
}

const ROOT_HALF = fround(Math.SQRT1_2);
const GELU_SLOPE = fround(Math.sqrt(2 / Math.PI));
const GELU_CUBIC = fround(0.044715 * Math.sqrt(2 / Math.PI));

/**
 * Functions of one value, in float32 and rounded after each operation, in onnxruntime's order of operations; what
 * is exact, and how far the others lie from onnxruntime's, says docs/numerics.md. Every function gives NaN for NaN.
 */
export const FUNCTIONS = {
  abs: plain(Math.abs),
  ceil: plain(Math.ceil),
  /** max(0, x) + min(0, alpha · (e^(x / alpha) − 1)) */
  celu: {
    defaults: [1],
    of: (alpha) => (x) =>
      x > 0 ? x : x <= 0 ? fround(alpha * exponentialLess1(fround(x / alpha))) : x,
  },
  cos: rounded(Math.cos),
  /** x, or alpha · (eˣ − 1) where x is negative */
  elu: {
    defaults: [1],
    of: (alpha) => (x) => (x >= 0 ? x : fround(alpha * exponentialLess1(x))),
  },
  erf: plain(erf),
  exp: rounded(Math.exp),
  floor: plain(Math.floor),
  /** x / 2 · (1 + erf(x / √2)) */
  gelu: plain((x) => fround(fround(fround(erf(fround(x * ROOT_HALF)) + 1) * x) * 0.5)),
  /** x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 · x³))) */
  'gelu-tanh': plain((x) => {
    const inner = fround(x * fround(fround(fround(GELU_CUBIC * x) * x) + GELU_SLOPE));
    return fround(fround(0.5 * x) * fround(tanh(inner) + 1));
  }),
  /** alpha · x + beta within [0, 1] */
  'hard-sigmoid': {
    defaults: [fround(0.2), 0.5],
    of: (alpha, beta) => (x) => hardSigmoid(x, alpha, beta),
  },
  /** x · (x / 6 + 1 / 2 within [0, 1]) */
  'hard-swish': plain((x) => fround(x * hardSigmoid(x, fround(1 / 6), 0.5))),
  log: rounded(Math.log),
  /** x · tanh(log(1 + eˣ)) */
  mish: plain((x) => fround(x * tanh(softplus(x)))),
  negate: plain((x) => -x),
  reciprocal: rounded((x) => 1 / x),
  /** To the nearest integer, the even one of a tie. */
  round: plain(roundHalfEven),
  /** gamma · (x, or alpha · (eˣ − 1) where x is not positive) */
  selu: {
    defaults: [fround(1.6732631921768188), fround(1.0507010221481323)],
    of: (alpha, gamma) => (x) => fround(gamma * (x > 0 ? x : fround(alpha * exponentialLess1(x)))),
  },
  sigmoid: plain(sigmoid),
  sign: plain(Math.sign),
  sin: rounded(Math.sin),
  /** log(1 + eˣ) */
  softplus: plain(softplus),
  /** x / (1 + |x|) */
  softsign: plain((x) => fround(fround(1 / fround(1 + Math.abs(x))) * x)),
  sqrt: rounded(Math.sqrt),
  /** x · sigmoid(alpha · x); also called SiLU, and QuickGelu with alpha = 1.702 */
  swish: {
    defaults: [1],
    of: (alpha) => (x) => fround(x * sigmoid(fround(alpha * x))),
  },
  tanh: plain(tanh),
  /** x where it is above alpha, otherwise 0 */
  'thresholded-relu': { defaults: [1], of: (alpha) => (x) => (x <= alpha ? 0 : x) },
} as const satisfies Readonly<Record<string, NamedFunction>>;

export type FunctionName = keyof typeof FUNCTIONS;

/** @param parameters float32 numbers, as many as the function has; those that are left out have their defaults */
export function realFunction(name: FunctionName, parameters: readonly number[] = []): RealFunction {
  const { defaults, of }: NamedFunction = FUNCTIONS[name];
  return of(...defaults.map((value, index) => parameters[index] ?? value));
}

/** output[i] = evaluate(input[i]) for as many values as `input` has; `input` may be `output`. */
export function applyFunction(
  evaluate: RealFunction,
  input: Float32Array,
  output: Float32Array,
): void {
  for (let index = 0; index < input.length; index++) output[index] = evaluate(input[index]);
}
