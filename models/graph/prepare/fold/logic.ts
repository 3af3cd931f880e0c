import {
  eachPlace,
  type FoldRule,
  type FoldRules,
  numbersOf,
  pick,
  repeatedStrides,
  zeros,
} from './elements.js';

type Value = number | bigint;

/** A relation of two values of one type. */
function relating(holds: (a: Value, b: Value) => boolean): FoldRule {
  return ({ inputs: [one, other], outputs: [output] }) => {
    if (!one || !other || one.elementType !== other.elementType) return undefined;
    const values = [numbersOf(one), numbersOf(other)];
    const target = zeros(output);
    const strides = [one, other].map(({ dims }) => repeatedStrides(dims, output.dims));
    eachPlace(output.dims, strides, (index, [a, b]) => {
      target[index] = holds(values[0][a], values[1][b]) ? 1 : 0;
    });
    return [target];
  };
}

/** A property of one value. */
function asking(holds: (value: Value) => boolean): FoldRule {
  return ({ inputs: [tensor], outputs: [output] }) => {
    if (!tensor) return undefined;
    const values = numbersOf(tensor);
    const target = zeros(output);
    for (let index = 0; index < values.length; index += 1) {
      target[index] = holds(values[index]) ? 1 : 0;
    }
    return [target];
  };
}

const where: FoldRule = ({ inputs: [condition, one, other], outputs: [output] }) => {
  if (!condition || !one || !other || one.elementType !== other.elementType) return undefined;
  const chosen = pick(output, one.data, repeatedStrides(one.dims, output.dims));
  const strides = [condition, other].map(({ dims }) => repeatedStrides(dims, output.dims));
  eachPlace(output.dims, strides, (index, [place, from]) => {
    if (!condition.data[place]) chosen[index] = other.data[from];
  });
  return [chosen];
};

/** Relations, and what is chosen by them. */
export const LOGIC: FoldRules = {
  Equal: relating((a, b) => a === b),
  Greater: relating((a, b) => a > b),
  GreaterOrEqual: relating((a, b) => a >= b),
  Less: relating((a, b) => a < b),
  LessOrEqual: relating((a, b) => a <= b),
  And: relating((a, b) => Boolean(a) && Boolean(b)),
  Or: relating((a, b) => Boolean(a) || Boolean(b)),
  Xor: relating((a, b) => Boolean(a) !== Boolean(b)),
  Not: asking((value) => !value),
  IsNaN: asking((value) => Number.isNaN(value)),
  Where: where,
};
