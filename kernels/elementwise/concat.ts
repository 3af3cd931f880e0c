/** One input of a concatenation along channels. */
export interface ConcatPart {
  /** `positions` × `channels` values, channels innermost. */
  readonly values: Uint8Array;
  readonly channels: number;
  /** What its stored values become ({@link requantizationTable}); absent: they are copied. */
  readonly table?: Uint8Array;
}

/**
 * com.microsoft QLinearConcat along channels: at each position the channels of all parts in order.
 * @param positions images × height × width
 * @param output `positions` × sum of the parts' channels
 */
export function concatChannels(
  parts: readonly ConcatPart[],
  output: Uint8Array,
  positions: number,
): void {
  const stride = parts.reduce((sum, { channels }) => sum + channels, 0);
  let first = 0;
  for (const { values, channels, table } of parts) {
    for (let position = 0; position < positions; position++) {
      const source = position * channels;
      const target = position * stride + first;
      for (let channel = 0; channel < channels; channel++) {
        const value = values[source + channel];
        output[target + channel] = table ? table[value] : value;
      }
    }
    first += channels;
  }
}
