import type { ElementType } from '../../../onnx/index.js';
import {
  asElements,
  type FoldRule,
  type FoldRules,
  isBigInt,
  isFloat,
  numbersOf,
  workspace,
} from './elements.js';

/** The least and the largest integer of each type that a float may be cast to. */
const RANGES: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1024],
  uint64: [0, 2 ** 64 - 2048],
};

/** Floats become integers towards zero; one that the type lacks has no meaning, and the node stays. */
const cast: FoldRule = ({ inputs: [tensor], outputs: [output] }) => {
  if (!tensor) return undefined;
  const values = numbersOf(tensor);
  const target = workspace(output);
  const to = output.elementType;
  const range = isFloat(tensor.elementType) ? RANGES[to] : undefined;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (to === 'bool') {
      target[index] = Number(value) !== 0 ? 1 : 0;
      continue;
    }
    const whole = range ? Math.trunc(Number(value)) : value;
    if (range && !(Number(whole) >= range[0] && Number(whole) <= range[1])) return undefined;
    if (isBigInt(to)) target[index] = BigInt(whole);
    else if (typeof whole === 'number') target[index] = whole;
    else target[index] = isFloat(to) ? Number(whole) : Number(BigInt.asIntN(32, whole));
  }
  return [asElements(to, target)];
};

export const CASTS: FoldRules = { Cast: cast, CastLike: cast };
