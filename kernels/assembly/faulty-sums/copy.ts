import { PLAIN, RUN_BYTES, SumRun, SumStretch } from './descriptors';

/**
 * Packs the int16 weights of up to 16 channels for a stretch. An odd run ends in a word of one weight and a 0.
 *
 * @param source weights of the first channel from the first place of the stretch on
 * @param sourceBytes from one channel to the next
 * @param columns channels of the packed block: 16 or 4
 */
export function packFaultySumsInt16(
  stretch: SumStretch,
  source: usize,
  sourceBytes: i32,
  columns: i32,
  target: usize,
): void {
  for (let address = stretch.runs; address < stretch.runsEnd; address += RUN_BYTES) {
    const run = changetype<SumRun>(address);
    const isPlain = run.kind == PLAIN;
    const pairs = isPlain ? run.words - (run.excess >> 1) : 0;
    for (let word = 0; word < run.words; word++) {
      const isPair = word < pairs;
      let weight = source;
      for (let column = 0; column < columns; column++) {
        store<u32>(target, isPair ? load<u32>(weight) : load<u16>(weight));
        weight += sourceBytes;
        target += 4;
      }
      source += isPair ? 4 : 2;
    }
  }
}

/** As `packFaultySumsInt16`, one float32 weight a word. */
export function packFaultySumsFloat32(
  stretch: SumStretch,
  source: usize,
  sourceBytes: i32,
  columns: i32,
  target: usize,
): void {
  for (let word = 0; word < stretch.words; word++) {
    let weight = source;
    for (let column = 0; column < columns; column++) {
      store<u32>(target, load<u32>(weight));
      weight += sourceBytes;
      target += 4;
    }
    source += 4;
  }
}

/**
 * Copies complete sums into [row][channel].
 *
 * @param target with room for 15 numbers more
 */
export function collectFaultySums(
  stretch: SumStretch,
  rows: i32,
  channels: i32,
  target: usize,
): void {
  const quads = stretch.sums + ((<usize>(stretch.panels * rows)) << 6);
  for (let row = 0; row < rows; row++) {
    let next = target;
    let source = stretch.sums + ((<usize>row) << 6);
    // What a block holds beyond the last channel is overwritten by the next row.
    for (let panel = 0; panel < stretch.panels; panel++) {
      v128.store(next, v128.load(source));
      v128.store(next, v128.load(source, 16), 16);
      v128.store(next, v128.load(source, 32), 32);
      v128.store(next, v128.load(source, 48), 48);
      next += 64;
      source += (<usize>rows) << 6;
    }
    source = quads + ((<usize>row) << 4);
    for (let quad = 0; quad < stretch.quads; quad++) {
      v128.store(next, v128.load(source));
      next += 16;
      source += (<usize>rows) << 4;
    }
    target += (<usize>channels) << 2;
  }
}
