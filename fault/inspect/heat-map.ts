import { encode } from 'fast-png';
import { requireMemory } from '../../core/index.js';
import { FAULT_KINDS, type FaultKind } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { formatGeometry } from '../geometry.js';

/** No side of a heat map is longer, in pixels; larger memories are binned. */
export const HEAT_MAP_SIDE = 4096;

/** Its faults, three colours, and their copies in the file. */
const BYTES_PER_PIXEL = 16;

/** A colour in sRGB, each part from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Colours of a map at one pixel a cell: told apart by colour-blind eyes, too (Okabe and Ito). */
export const HEAT_MAP_COLOURS: Readonly<Record<FaultKind | 'clean' | 'gap', Colour>> = {
  clean: [255, 255, 255],
  'stuck-at-0': [0, 114, 178],
  'stuck-at-1': [213, 94, 0],
  flip: [0, 0, 0],
  gap: [153, 153, 153],
};

/** A picture of a fault map. */
export interface HeatMap {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly data: Uint8Array;
  /** Side of the square of cells that a pixel stands for. */
  readonly bin: number;
  /** Banks beside one another. */
  readonly banksAcross: number;
  /** Most faulty cells in one pixel. */
  readonly most: number;
}

/** Banks as tiles of a picture, with a gap of one pixel between them. */
function layOut({ banks, rows, columns }: FaultMap['geometry'], bin: number) {
  const tileHeight = Math.ceil(rows / bin);
  const tileWidth = Math.ceil(columns / bin);
  const square = Math.round(Math.sqrt((banks * (tileHeight + 1)) / (tileWidth + 1)));
  const banksAcross = Math.min(banks, Math.max(1, square));
  const banksDown = Math.ceil(banks / banksAcross);
  return {
    tileHeight,
    tileWidth,
    banksAcross,
    width: banksAcross * (tileWidth + 1) - 1,
    height: banksDown * (tileHeight + 1) - 1,
  };
}

/** From white over orange to dark red, by a share from 0 to 1. */
function heat(share: number): Colour {
  const low = Math.min(1, 2 * share);
  const high = Math.max(0, 2 * share - 1);
  return [
    Math.round(255 - 128 * high),
    Math.round(255 - 114 * low - 141 * high),
    Math.round(255 * (1 - low)),
  ];
}

/**
 * Draws a fault map: banks as tiles in reading order, in each rows downwards and columns to the right, a
 * grey gap between tiles. At one pixel a cell a faulty cell has the colour of its kind
 * (HEAT_MAP_COLOURS). Where a side would be longer than HEAT_MAP_SIDE a pixel stands for the smallest
 * square of cells (a power of two wide) that makes it fit, and shows its faults on a scale from white
 * (none) over orange (half) to dark red (the most of any pixel); one fault is never paler than a fifth.
 */
export function drawHeatMap(map: FaultMap): HeatMap {
  const { geometry } = map;
  let bin = 1;
  let layout = layOut(geometry, bin);
  while (Math.max(layout.width, layout.height) > HEAT_MAP_SIDE && bin < 2 ** 52) {
    bin *= 2;
    layout = layOut(geometry, bin);
  }
  const { width, height, tileWidth, tileHeight, banksAcross } = layout;
  requireMemory(width * height * BYTES_PER_PIXEL, `A picture of ${formatGeometry(geometry)}`);
  const counts = new Uint32Array(width * height);
  const pixelOf = (cell: number) => {
    const line = Math.floor(cell / geometry.columns);
    const bank = Math.floor(line / geometry.rows);
    const across = bank % banksAcross;
    const down = Math.floor(bank / banksAcross);
    const y = down * (tileHeight + 1) + Math.floor((line - bank * geometry.rows) / bin);
    const x = across * (tileWidth + 1) + Math.floor((cell - line * geometry.columns) / bin);
    return y * width + x;
  };
  let most = 0;
  for (const cell of map.cells) {
    const pixel = pixelOf(cell);
    counts[pixel] += 1;
    most = Math.max(most, counts[pixel]);
  }
  const data = new Uint8Array(3 * width * height);
  const isTile = (x: number, y: number) => {
    const bank = Math.floor(y / (tileHeight + 1)) * banksAcross + Math.floor(x / (tileWidth + 1));
    const isGap = x % (tileWidth + 1) === tileWidth || y % (tileHeight + 1) === tileHeight;
    return !isGap && bank < geometry.banks;
  };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      data.set(HEAT_MAP_COLOURS[isTile(x, y) ? 'clean' : 'gap'], 3 * (y * width + x));
    }
  }
  map.cells.forEach((cell, fault) => {
    const pixel = pixelOf(cell);
    const colour =
      bin === 1
        ? HEAT_MAP_COLOURS[FAULT_KINDS[map.kinds[fault]]]
        : heat(Math.max(0.2, counts[pixel] / most));
    data.set(colour, 3 * pixel);
  });
  return { width, height, data, bin, banksAcross, most };
}

/** The picture as a PNG file. */
export function encodePng({ width, height, data }: HeatMap): Uint8Array {
  return encode({ width, height, data, channels: 3, depth: 8 });
}
