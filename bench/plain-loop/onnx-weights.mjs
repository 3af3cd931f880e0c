/** The weights of an ONNX file where they lie in it, so that a copy of the file can be changed in place. */

/**
 * Bytes of a file.
 * @typedef {{ readonly from: number, readonly to: number }} Span
 */

// Numbers of fields in onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_DIMS = 1;
const TENSOR_DATA_TYPE = 2;
const TENSOR_RAW_DATA = 9;

// Numbers of element types there.
const FLOAT = 1;
const INT8 = 3;

/**
 * The data of all initialisers of two or more dimensions: of layers the weights alone. Where some are int8 only those:
 * clips of int8 networks have thresholds and scales of as many dimensions.
 * @param {Uint8Array} file
 * @returns {Span[]}
 */
export function weightsIn(file) {
  const tensors = [...fieldsOf(file, { from: 0, to: file.length }, MODEL_GRAPH)]
    .flatMap((graph) => [...fieldsOf(file, graph, GRAPH_INITIALIZER)])
    .filter((tensor) => dimensionsOf(file, tensor) >= 2)
    .map((tensor) => ({ tensor, type: typeOf(file, tensor) }));
  const wanted = tensors.some(({ type }) => type === INT8) ? INT8 : FLOAT;
  const weights = tensors
    .filter(({ type }) => type === wanted)
    .flatMap(({ tensor }) => [...fieldsOf(file, tensor, TENSOR_RAW_DATA)]);
  if (weights.length === 0) throw new Error('no weights found in the file');
  return weights;
}

/**
 * Flip each bit of some spans with a probability: from one flip to the next it is geometric.
 * @param {Uint8Array} file
 * @param {readonly Span[]} spans
 * @param {number} rate
 * @param {() => number} random
 */
export function flipBits(file, spans, rate, random) {
  const scale = 1 / Math.log1p(-rate);
  for (const { from, to } of spans) {
    const bits = 8 * (to - from);
    for (let bit = gap(); bit < bits; bit += 1 + gap()) file[from + (bit >>> 3)] ^= 1 << (bit & 7);
  }

  function gap() {
    return Math.floor(Math.log(1 - random()) * scale);
  }
}

/**
 * Dimensions of a tensor, each a number of its own or all packed into one field.
 * @param {Uint8Array} file
 * @param {Span} tensor
 */
function dimensionsOf(file, tensor) {
  let dimensions = 0;
  for (const { number, wire, value } of fields(file, tensor)) {
    if (number !== TENSOR_DIMS) continue;
    if (wire === 0) dimensions += 1;
    else for (let at = value.from; at < value.to; at += 1) dimensions += file[at] < 128 ? 1 : 0;
  }
  return dimensions;
}

/**
 * Element type of a tensor, which is a number below 128.
 * @param {Uint8Array} file
 * @param {Span} tensor
 */
function typeOf(file, tensor) {
  const [{ from }] = fieldsOf(file, tensor, TENSOR_DATA_TYPE);
  return file[from];
}

/**
 * @param {Uint8Array} file
 * @param {Span} message
 * @param {number} wanted
 */
function* fieldsOf(file, message, wanted) {
  for (const { number, value } of fields(file, message)) if (number === wanted) yield value;
}

/**
 * The fields of a protocol-buffer message.
 * @param {Uint8Array} file
 * @param {Span} message
 */
function* fields(file, { from, to }) {
  let at = from;
  /** An unsigned number in base 128, the lowest digits first. */
  const varint = () => {
    let result = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = file[at++];
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
  };
  while (at < to) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    const start = at;
    if (wire === 0) {
      varint();
      yield { number, wire, value: { from: start, to: at } };
      continue;
    }
    const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
    yield { number, wire, value: { from: at, to: at + length } };
    at += length;
  }
}
