import { intAttribute } from '../../graph.js';
import { inputType, resizeOf } from '../forms/index.js';
import { each, requireRank, type ShapeRules } from './rules.js';

/** Operators that sample images at other places. */
export const IMAGES: ShapeRules = {
  ...each(['Resize', 'Upsample'], (scope, node) => [
    {
      elementType: inputType(scope, node, 0).elementType,
      dims: resizeOf(scope, node).output,
    },
  ]),
  GridSample(scope, node) {
    const { elementType, dims } = inputType(scope, node, 0);
    const grid = inputType(scope, node, 1, 'grid');
    requireRank(scope, node, grid, dims.length);
    return [{ elementType, dims: [...dims.slice(0, 2), ...grid.dims.slice(1, -1)] }];
  },
  RoiAlign(scope, node) {
    const type = inputType(scope, node, 0);
    const regions = inputType(scope, node, 1, 'regions');
    requireRank(scope, node, type, 4);
    const size = (name: string) => intAttribute(scope.source, node, name, 1);
    const dims = [regions.dims[0], type.dims[1], size('output_height'), size('output_width')];
    return [{ elementType: type.elementType, dims }];
  },
};
