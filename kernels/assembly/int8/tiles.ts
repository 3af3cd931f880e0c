import { Int8FinishDescriptor, requantizeRow } from '../finish';
import { transformOutput2x2 } from './small-map';
import { TransformDescriptor } from './transform';
import { transformOutput4x4 } from './winograd';

/**
 * Accumulators, then stored outputs, of `tiles` tiles for `channels` channels from `firstChannel` on, whose
 * products are in place. `accumulators` has room for one tile.
 */
export function finishTiles(
  d: TransformDescriptor,
  finish: Int8FinishDescriptor,
  side: i32,
  output: usize,
  firstTile: i32,
  tiles: i32,
  firstChannel: i32,
  channels: i32,
  accumulators: usize,
): void {
  for (let tile = 0; tile < tiles; tile++) {
    Inline.transformTile(d, side, tile, firstChannel, channels, accumulators);
    requantizeTile(d, finish, side, output, firstTile + tile, firstChannel, channels, accumulators);
  }
}

/** Accumulators [tile][position][channel] of the same products. */
export function accumulateTiles(
  d: TransformDescriptor,
  side: i32,
  tiles: i32,
  firstChannel: i32,
  channels: i32,
  accumulators: usize,
): void {
  for (let tile = 0; tile < tiles; tile++) {
    Inline.transformTile(d, side, tile, firstChannel, channels, accumulators);
    accumulators += <usize>(side * side * d.accumulatorRow);
  }
}

/** Stored outputs of accumulators [tile][position][channel]. */
export function requantizeTiles(
  d: TransformDescriptor,
  finish: Int8FinishDescriptor,
  side: i32,
  output: usize,
  firstTile: i32,
  tiles: i32,
  accumulators: usize,
): void {
  for (let tile = 0; tile < tiles; tile++) {
    requantizeTile(d, finish, side, output, firstTile + tile, 0, d.outputChannels, accumulators);
    accumulators += <usize>(side * side * d.accumulatorRow);
  }
}

/** Functions whose code is copied to each call: constants then fold into it. */
class Inline {
  @inline
  static transformTile(
    d: TransformDescriptor,
    side: i32,
    tile: i32,
    firstChannel: i32,
    channels: i32,
    accumulators: usize,
  ): void {
    const products = d.products + <usize>(tile * d.productRow);
    const bias = d.bias + ((<usize>firstChannel) << 2);
    if (side == 4) transformOutput4x4(d, products, bias, channels, accumulators);
    else transformOutput2x2(d, products, bias, channels, accumulators);
  }
}

function requantizeTile(
  d: TransformDescriptor,
  finish: Int8FinishDescriptor,
  side: i32,
  output: usize,
  tile: i32,
  firstChannel: i32,
  channels: i32,
  accumulators: usize,
): void {
  const tilesPerImage = d.tilesY * d.tilesX;
  const firstY = ((tile % tilesPerImage) / d.tilesX) * side;
  const firstX = (tile % d.tilesX) * side;
  const width = min(d.outputWidth - firstX, side);
  const lastY = min(firstY + side, d.outputHeight);
  const imageY = (tile / tilesPerImage) * d.outputHeight;
  for (let y = firstY; y < lastY; y++) {
    const row = (imageY + y) * d.outputWidth + firstX;
    const position = y * d.outputWidth + firstX;
    let target = output + <usize>(row * d.outputChannels + firstChannel);
    let source = accumulators;
    for (let x = 0; x < width; x++) {
      requantizeRow(finish, source, position + x, (<usize>firstChannel) << 2, channels, target);
      source += d.accumulatorRow;
      target += d.outputChannels;
    }
    accumulators += <usize>(side * d.accumulatorRow);
  }
}
