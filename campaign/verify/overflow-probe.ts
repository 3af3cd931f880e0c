import { fullyConnectedShape } from '../../core/index.js';
import { type Int8Network, writeQOperator } from '../../models/index.js';
import { loadReference } from './onnxruntime.js';

const CHANNELS = 64;
const INPUT = 255;
const WEIGHT = 127;
/** The accumulator Σ x·w of the probe, and the quantised value it must become. */
const ACCUMULATOR = CHANNELS * INPUT * WEIGHT;
const EXPECTED = 100;

/**
 * Whether onnxruntime's uint8 × int8 products overflow on this machine. x86 processors without
 * VNNI instructions may add pairs of products in saturating 16 bits, so their results are wrong for large
 * operands (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
 */
export async function onnxruntimeOverflows(): Promise<boolean> {
  const network = probeNetwork();
  const reference = await loadReference(writeQOperator(network), 'disabled', 1);
  const images = new Float32Array(CHANNELS).fill(INPUT);
  const outputs = await reference.run(images, network.tensors[0].shape, 1);
  await reference.release();
  const [logits] = [...outputs.values()];
  return logits[0] !== EXPECTED;
}

function probeNetwork(): Int8Network {
  const shape = fullyConnectedShape(CHANNELS, 1);
  const identity = { scale: 1, zeroPoint: 0 };
  return {
    name: 'overflow probe',
    checksum: '',
    format: 'int8',
    tensors: [
      { name: 'input', shape: shape.input, quantization: identity },
      { name: 'output', shape: shape.output, quantization: identity },
    ],
    input: 0,
    output: 1,
    layers: [
      {
        kind: 'convolution',
        name: 'probe',
        input: 0,
        output: 1,
        shape,
        relu: false,
        weights: new Int8Array(CHANNELS).fill(WEIGHT),
        scales: Float32Array.of(EXPECTED / ACCUMULATOR),
        zeroPoints: Int32Array.of(0),
        bias: Int32Array.of(0),
      },
    ],
  };
}
