import { featureCount } from '../../core/index.js';
import { flatten, quantizeImages } from '../../kernels/index.js';
import {
  type Network,
  type NetworkValue,
  networkInputs,
  networkOutputs,
} from '../../models/index.js';

type Values = Uint8Array | Float32Array;

/** Numbers of one sample: all inputs one behind the other, each in the file's order. */
export function sampleLength(network: Network): number {
  return lengthOf(network, networkInputs(network));
}

/** Numbers that a network makes of one sample: all outputs one behind the other, each in the file's order. */
export function outputLength(network: Network): number {
  return lengthOf(network, networkOutputs(network));
}

function lengthOf({ tensors }: Network, values: readonly NetworkValue[]): number {
  return values.reduce((sum, { tensor }) => sum + featureCount(tensors[tensor].shape), 0);
}

/** Puts `count` samples into the tensors of a network's inputs. */
export function loadSamples(
  network: Network,
  samples: Float32Array,
  count: number,
  tensors: readonly Values[],
): void {
  const inputs = networkInputs(network);
  const length = sampleLength(network);
  let first = 0;
  for (const input of inputs) {
    const own = featureCount(network.tensors[input.tensor].shape);
    const numbers = own === length ? samples : gather(samples, { length, first, own }, count);
    loadValue(network, input, numbers, count, tensors[input.tensor]);
    first += own;
  }
}

/** Where the numbers of one value lie within those of a sample. */
interface Stretch {
  readonly length: number;
  readonly first: number;
  readonly own: number;
}

function gather(samples: Float32Array, { length, first, own }: Stretch, count: number) {
  const numbers = new Float32Array(count * own);
  for (let sample = 0; sample < count; sample += 1) {
    const start = sample * length + first;
    numbers.set(samples.subarray(start, start + own), sample * own);
  }
  return numbers;
}

/** Samples arrive in the file's order, channel by channel, and maps are stored with the channels innermost. */
function loadValue(
  network: Network,
  { tensor, layout, elementType }: NetworkValue,
  numbers: Float32Array,
  count: number,
  values: Values,
): void {
  const { shape: stored, quantization } = network.tensors[tensor];
  const length = featureCount(stored);
  const shape = layout === 'channels-last' ? stored : { channels: 1, height: 1, width: length };
  if (quantization && values instanceof Uint8Array && elementType === 'float32') {
    quantizeImages(shape, quantization, numbers, values, count);
    return;
  }
  // The file's own integers, of which int8 ones are stored 128 higher.
  const offset = quantization && elementType === 'int8' ? 128 : 0;
  const positions = shape.height * shape.width;
  for (let image = 0; image < count; image += 1) {
    for (let channel = 0; channel < shape.channels; channel += 1) {
      const source = image * length + channel * positions;
      const target = image * length + channel;
      for (let position = 0; position < positions; position += 1) {
        values[target + position * shape.channels] = numbers[source + position] + offset;
      }
    }
  }
}

/** Reads what a network made of `count` samples, dequantised as fround(scale · (q − zero point)). */
export function readSamples(
  network: Network,
  tensors: readonly Values[],
  count: number,
  outputs: Float32Array,
): void {
  const length = outputLength(network);
  let first = 0;
  for (const output of networkOutputs(network)) {
    const own = featureCount(network.tensors[output.tensor].shape);
    const numbers = own === length ? outputs : new Float32Array(count * own);
    readValue(network, output, tensors[output.tensor], count, numbers);
    for (let sample = 0; own !== length && sample < count; sample += 1) {
      outputs.set(numbers.subarray(sample * own, (sample + 1) * own), sample * length + first);
    }
    first += own;
  }
}

/** Outputs leave in the file's order: maps channel by channel. */
function readValue(
  network: Network,
  { tensor, layout, elementType }: NetworkValue,
  values: Values,
  count: number,
  numbers: Float32Array,
): void {
  const { shape: stored, quantization } = network.tensors[tensor];
  const length = featureCount(stored) * count;
  const shape =
    layout === 'channels-last' ? stored : { channels: 1, height: 1, width: featureCount(stored) };
  const ordered = quantization ? new Uint8Array(length) : numbers.subarray(0, length);
  flatten(shape, values, ordered, count);
  if (!quantization) return;
  const { scale, zeroPoint } =
    elementType === 'float32'
      ? quantization
      : { scale: 1, zeroPoint: elementType === 'int8' ? 128 : 0 };
  for (let index = 0; index < length; index += 1) {
    numbers[index] = scale * (ordered[index] - zeroPoint);
  }
}
