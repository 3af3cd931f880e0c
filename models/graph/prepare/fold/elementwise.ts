import type { ElementType } from '../../../onnx/index.js';
import { floatAttribute, intAttribute } from '../../graph.js';
import {
  asElements,
  type Elements,
  eachPlace,
  type FoldRule,
  type FoldRules,
  isBigInt,
  isFloat,
  numbersOf,
  repeatedStrides,
  workspace,
} from './elements.js';

type NumberFunction = (a: number, b: number) => number;
type BigIntFunction = (a: bigint, b: bigint) => bigint;

/** A function of two values, for numbers and for 64-bit integers; undefined where a type lacks it. */
interface Pair {
  readonly numbers: NumberFunction | undefined;
  readonly bigints: BigIntFunction | undefined;
}

/** Joins all inputs, from the first on, by a function that depends on their type. */
function joining(
  functionOf: (type: ElementType, folded: Parameters<FoldRule>[0]) => Pair,
): FoldRule {
  return (folded) => {
    const { inputs, outputs } = folded;
    const [output] = outputs;
    const tensors = inputs.filter((tensor) => tensor !== undefined);
    const [first] = tensors;
    if (!first || tensors.some(({ elementType }) => elementType !== first.elementType)) {
      return undefined;
    }
    const { numbers, bigints } = functionOf(first.elementType, folded);
    const join = (isBigInt(first.elementType) ? bigints : numbers) as
      | ((a: number | bigint, b: number | bigint) => number | bigint)
      | undefined;
    if (!join) return undefined;
    const target = workspace(output);
    const values = tensors.map(numbersOf);
    const strides = tensors.map(({ dims }) => repeatedStrides(dims, output.dims));
    eachPlace(output.dims, [strides[0]], (index, [place]) => {
      target[index] = values[0][place];
    });
    for (let other = 1; other < values.length; other += 1) {
      eachPlace(output.dims, [strides[other]], (index, [place]) => {
        target[index] = join(target[index], values[other][place]);
      });
    }
    return [asElements(output.elementType, target)];
  };
}

const wraps = (type: ElementType) => type === 'int32' || type === 'uint32';

/** Division by zero has no meaning for integers: the node stays. */
function divides(rule: FoldRule): FoldRule {
  return (folded) => {
    const [, divisor] = folded.inputs;
    if (divisor && !isFloat(divisor.elementType) && hasZero(divisor.data)) return undefined;
    return rule(folded);
  };
}

function hasZero(values: Elements): boolean {
  for (let index = 0; index < values.length; index += 1)
    if (Number(values[index]) === 0) return true;
  return false;
}

/** The larger value; NaN where one is NaN. */
const larger: NumberFunction = (a, b) => (a > b || Number.isNaN(a) ? a : b);
const smaller: NumberFunction = (a, b) => (a < b || Number.isNaN(a) ? a : b);

/** The remainder with the divisor's sign (Mod without fmod). */
function modulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

function modulo64(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

const sum = joining((type) => ({
  numbers: type === 'bool' ? undefined : (a, b) => a + b,
  bigints: (a, b) => a + b,
}));

/** The power, as onnxruntime computes it: squares and cubes by products. */
const power: FoldRule = ({ inputs: [base, exponent], outputs: [output] }) => {
  if (!base || !exponent || !isFloat(base.elementType)) return undefined;
  const bases = numbersOf(base);
  const exponents = numbersOf(exponent);
  const target = workspace(output);
  const isDouble = base.elementType === 'float64';
  const round = isDouble ? (value: number) => value : Math.fround;
  const only = exponents.length === 1 ? Number(exponents[0]) : undefined;
  const strides = [base, exponent].map(({ dims }) => repeatedStrides(dims, output.dims));
  eachPlace(output.dims, strides, (index, [place, other]) => {
    const value = Number(bases[place]);
    const square = round(value * value);
    target[index] =
      only === 2 ? square : only === 3 ? square * value : value ** Number(exponents[other]);
  });
  return [asElements(output.elementType, target)];
};

const mean: FoldRule = (folded) => {
  const [output] = folded.outputs;
  const total = output.elementType === 'float16' ? undefined : sum(folded)?.[0];
  if (!total) return undefined;
  for (let index = 0; index < total.length; index += 1) {
    total[index] = Number(total[index]) / folded.inputs.length;
  }
  return [total];
};

/** A function of one number, for floats alone or for integers of up to 32 bits, too. */
function mapping(map: (value: number) => number, forIntegers = false): FoldRule {
  return ({ inputs: [tensor], outputs: [output] }) => {
    if (!tensor || isBigInt(tensor.elementType) || tensor.elementType === 'bool') return undefined;
    if (!forIntegers && !isFloat(tensor.elementType)) return undefined;
    const values = numbersOf(tensor);
    const target = workspace(output);
    for (let index = 0; index < values.length; index += 1) {
      target[index] = map(Number(values[index]));
    }
    return [asElements(output.elementType, target)];
  };
}

/** The same, with its meaning for 64-bit integers. */
function mappingAll(map: (value: number) => number, map64: (value: bigint) => bigint): FoldRule {
  const rule = mapping(map, true);
  return (folded) => {
    const [tensor] = folded.inputs;
    if (!tensor || !isBigInt(tensor.elementType)) return rule(folded);
    const target = workspace(folded.outputs[0]);
    for (const [index, value] of (tensor.data as BigInt64Array).entries()) {
      target[index] = map64(value);
    }
    return [target];
  };
}

/** The integer nearest to a number, halves to the even one; −0 stays. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const rounded = isUp ? floor + 1 : floor;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

const clip: FoldRule = ({ scope, node, inputs, outputs: [output] }) => {
  const [tensor, least, most] = inputs;
  if (!tensor || !isFloat(tensor.elementType)) return undefined;
  const bound = (given: typeof least, name: string, otherwise: number) =>
    given ? Number(numbersOf(given)[0]) : floatAttribute(scope.source, node, name, otherwise);
  const low = bound(least, 'min', -Infinity);
  const high = bound(most, 'max', Infinity);
  const values = numbersOf(tensor);
  const target = workspace(output);
  for (let index = 0; index < values.length; index += 1) {
    const value = Number(values[index]);
    const raised = value < low ? low : value;
    target[index] = raised > high ? high : raised;
  }
  return [asElements(output.elementType, target)];
};

/**
 * Arithmetic. Each result is rounded once to its type, as onnxruntime's is. Exponentials, logarithms and circular
 * functions are rounded correctly but for rare ties, onnxruntime's are up to a last bit away.
 */
export const ELEMENTWISE: FoldRules = {
  Add: sum,
  Sum: sum,
  Sub: joining(() => ({ numbers: (a, b) => a - b, bigints: (a, b) => a - b })),
  Mul: joining((type) => ({
    numbers: wraps(type) ? Math.imul : (a, b) => a * b,
    bigints: (a, b) => a * b,
  })),
  Div: divides(
    joining((type) => ({
      numbers: isFloat(type) ? (a, b) => a / b : (a, b) => Math.trunc(a / b),
      bigints: (a, b) => a / b,
    })),
  ),
  Mod: divides(
    joining((type, { scope, node }) => {
      const isC = intAttribute(scope.source, node, 'fmod', 0) !== 0;
      if (isC) return { numbers: (a, b) => a % b, bigints: (a, b) => a % b };
      return { numbers: isFloat(type) ? undefined : modulo, bigints: modulo64 };
    }),
  ),
  Max: joining(() => ({ numbers: larger, bigints: (a, b) => (a > b ? a : b) })),
  Min: joining(() => ({ numbers: smaller, bigints: (a, b) => (a < b ? a : b) })),
  Mean: mean,
  Pow: power,
  Neg: mappingAll(
    (value) => -value,
    (value) => -value,
  ),
  Abs: mappingAll(Math.abs, (value) => (value < 0n ? -value : value)),
  Sign: mappingAll(
    (value) => (value > 0 ? 1 : value < 0 ? -1 : 0),
    (value) => (value > 0n ? 1n : value < 0n ? -1n : 0n),
  ),
  Relu: mappingAll(
    (value) => (value > 0 ? value : 0),
    (value) => (value > 0n ? value : 0n),
  ),
  Clip: clip,
  Floor: mapping(Math.floor),
  Ceil: mapping(Math.ceil),
  Round: mapping(roundHalfEven),
  Sqrt: mapping(Math.sqrt),
  Reciprocal: mapping((value) => 1 / value),
  Exp: mapping(Math.exp),
  Log: mapping(Math.log),
  Sin: mapping(Math.sin),
  Cos: mapping(Math.cos),
  Tanh: mapping(Math.tanh),
  Sigmoid: mapping((value) => 1 / (1 + Math.exp(-value))),
  Softplus: mapping((value) => Math.log1p(Math.exp(-Math.abs(value))) + Math.max(value, 0)),
};
