import type { OnnxAttribute } from '../../models/index.js';
import type { Value } from './forms.js';
import { int, string } from './graph-writer.js';
import type { RearrangeStep } from './recipes.js';

/** A node that puts values elsewhere. */
export interface Rearrangement {
  /** Its inputs behind the values, in their order. */
  readonly constants: Readonly<Record<string, readonly number[]>>;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  /** Channels, height and width of what it makes. */
  readonly sizes: readonly number[];
}

/** What a step makes of a value, along one axis where its operator has one; undefined: it cannot take that value. */
export function rearrangement(
  { shape: { channels, height, width }, rank }: Value,
  { opType, before, after, mode, axis: wanted }: RearrangeStep,
  random: () => number,
): Rearrangement | undefined {
  const axis = rank === 2 ? 1 : wanted;
  const sizes = [channels, height, width];
  const size = sizes[axis - 1];
  const along = (length: number) => sizes.with(axis - 1, length);
  const zeros = Array.from({ length: rank }, () => 0);
  const ones = zeros.map(() => 1);
  switch (opType) {
    case 'Slice': {
      if (size <= before + after) return undefined;
      const constants = { starts: [before], ends: [size - after], axes: [axis] };
      return { constants, attributes: {}, sizes: along(size - before - after) };
    }
    case 'Pad': {
      if (mode === 'reflect' && size <= Math.max(before, after)) return undefined;
      const pads = [...zeros.with(axis, before), ...zeros.with(axis, after)];
      const attributes = { mode: string(mode) };
      return { constants: { pads }, attributes, sizes: along(size + before + after) };
    }
    case 'Gather': {
      const places = Array.from({ length: 1 + before + after }, () =>
        Math.floor((2 * random() - 1) * size),
      );
      const attributes = { axis: int(axis) };
      return { constants: { places }, attributes, sizes: along(places.length) };
    }
    case 'Tile':
      return { constants: { repeats: ones.with(axis, 2) }, attributes: {}, sizes: along(2 * size) };
    case 'Expand': {
      if (size !== 1) return undefined;
      const shape = ones.with(axis, 2 + before);
      return { constants: { shape }, attributes: {}, sizes: along(2 + before) };
    }
    case 'DepthToSpace': {
      if (rank === 2 || channels % 4 !== 0) return undefined;
      const attributes = { blocksize: int(2), mode: string(mode === 'edge' ? 'CRD' : 'DCR') };
      return { constants: {}, attributes, sizes: [channels / 4, 2 * height, 2 * width] };
    }
    case 'SpaceToDepth': {
      if (rank === 2 || height % 2 !== 0 || width % 2 !== 0) return undefined;
      const attributes = { blocksize: int(2) };
      return { constants: {}, attributes, sizes: [4 * channels, height / 2, width / 2] };
    }
  }
}
