import { Reader } from 'protobufjs/minimal.js';
import { ModelError } from '../../core/index.js';

/** Fields of all messages: fifty times what networks of hundreds of layers have. */
const MOST_FIELDS = 2 ** 18;
/** Numbers that decoding turns into objects of 64-bit integers: dimensions, shapes, attributes. */
const MOST_INT64 = 2 ** 20;
/** Numbers of int32_data, one for each weight of exporters that do not use raw_data. */
const MOST_INT32 = 2 ** 24;

/** Messages within messages: a subgraph within a subgraph adds three. */
const DEEPEST = 32;

/** What the fields of a message hold, by number; the others are passed over. */
interface Message {
  readonly [field: number]: Message | (() => Message) | 'int64' | 'int32';
}

const ENTRY: Message = {};
const TENSOR: Message = { 1: 'int64', 5: 'int32', 7: 'int64', 11: 'int64', 13: ENTRY };
/** Subgraphs are decoded for the names that they take. */
const ATTRIBUTE: Message = { 5: TENSOR, 6: () => GRAPH, 8: 'int64', 11: () => GRAPH };
const NODE: Message = { 5: ATTRIBUTE };
const DIMENSION: Message = {};
const TENSOR_TYPE: Message = { 2: { 1: DIMENSION } };
const VALUE: Message = { 2: { 1: TENSOR_TYPE } };
const GRAPH: Message = { 1: NODE, 5: TENSOR, 11: VALUE, 12: VALUE, 13: VALUE };
const MODEL: Message = { 7: GRAPH, 8: {}, 14: ENTRY };

/**
 * Checks that decoding an ONNX file takes memory in proportion to a network, before any of it is taken:
 * a byte on the wire may become an object of hundreds of bytes.
 *
 * @param source what errors call the file
 * @throws ModelError when there are too many fields or integers
 * @throws Error from the protocol buffers' reader when the file is cut off
 */
export function checkLimits(bytes: Uint8Array, source: string): void {
  const reader = Reader.create(bytes);
  const left = { fields: MOST_FIELDS, int64: MOST_INT64, int32: MOST_INT32 };

  function spend(what: keyof typeof left, count: number): void {
    left[what] -= count;
    if (left[what] < 0) {
      const names = { fields: 'fields', int64: '64-bit integers', int32: '32-bit integers' };
      throw new ModelError(
        `${source} has more ${names[what]} than a network needs; is it an ONNX file, with its weights in raw_data?`,
      );
    }
  }

  function walk(message: Message, end: number, depth: number): void {
    if (depth > DEEPEST) throw new ModelError(`${source} has subgraphs in more than ten levels`);
    while (reader.pos < end) {
      const tag = reader.uint32();
      const content = message[tag >>> 3];
      spend('fields', 1);
      if ((tag & 7) !== LENGTH_DELIMITED || content === undefined) {
        reader.skipType(tag & 7);
        continue;
      }
      const stop = reader.uint32() + reader.pos;
      if (stop > end) throw new RangeError(`a field ends at byte ${stop}, its message at ${end}`);
      if (typeof content === 'object') {
        walk(content, stop, depth + 1);
      } else if (typeof content === 'function') {
        walk(content(), stop, depth + 1);
      } else {
        spend(content, countVarints(bytes, reader.pos, stop));
        reader.pos = stop;
      }
    }
  }
  walk(MODEL, bytes.length, 0);
}

const LENGTH_DELIMITED = 2;

/** Each number's last byte has its top bit clear. */
function countVarints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let place = start; place < end; place += 1) count += (bytes[place] >>> 7) ^ 1;
  return count;
}
