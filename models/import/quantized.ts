import { ModelError } from '../../core/index.js';
import { unsupportedOperator } from '../graph/graph.js';
import { prepareGraph, requireOneOfEach } from '../graph/prepare/prepare.js';
import { createQuantizedValues } from '../graph/quantized-values.js';
import { inputShape } from '../graph/shapes.js';
import {
  arrayLayers,
  type Int8Network,
  requantizationMultipliers,
  type Tensor,
} from '../network.js';
import type { OnnxModel, OnnxNode } from '../onnx/index.js';
import { finishNetwork } from './finish.js';
import { settleFusions } from './fusion.js';
import { type NodeReader, QDQ_READERS } from './qdq.js';
import { MICROSOFT_READERS, QOPERATOR_READERS } from './qoperator.js';

const MICROSOFT_DOMAIN = 'com.microsoft';
const { QuantizeLinear, DequantizeLinear } = QDQ_READERS;

const READERS: ReadonlyMap<string, ReadonlyMap<string, NodeReader>> = new Map([
  ['', new Map(Object.entries({ ...QDQ_READERS, ...QOPERATOR_READERS }))],
  // onnxruntime has its own QuantizeLinear and DequantizeLinear, which for 8 bits are the standard ones.
  [
    MICROSOFT_DOMAIN,
    new Map(Object.entries({ ...MICROSOFT_READERS, QuantizeLinear, DequantizeLinear })),
  ],
]);

/** What errors list; nodes that pass values on are resolved before. */
const OPERATORS = [
  ...Object.keys({ ...QDQ_READERS, ...QOPERATOR_READERS, ...MICROSOFT_READERS }),
  'Identity',
  'Dropout',
  'Constant',
];

function readerOf({ domain, opType }: OnnxNode): NodeReader | undefined {
  return READERS.get(domain)?.get(opType);
}

/** Whether a model's activations are quantised, by QuantizeLinear nodes or inside its operators. */
export function isQuantized(model: OnnxModel): boolean {
  return model.graph.nodes.some(
    ({ domain, opType }) =>
      (domain === '' || domain === MICROSOFT_DOMAIN) && /^Quantize|^QLinear|^QGemm/.test(opType),
  );
}

/**
 * Imports a quantised network in QDQ form (float32 operators between DequantizeLinear and QuantizeLinear nodes),
 * in QOperator form (operators on quantised tensors), or in a mixture.
 */
export function importQuantized(
  model: OnnxModel,
  source: string,
  name: string,
  checksum: string,
): Int8Network {
  const graph = prepareGraph(model, source);
  requireOneOfEach(graph);
  const into = createQuantizedValues(graph);
  into.values.set(graph.input.name, { state: 'input', shaped: inputShape(graph) });
  for (const node of graph.nodes) {
    const read = readerOf(node);
    if (!read) throw unsupportedOperator(source, node, OPERATORS);
    read(into, node);
  }
  const output = into.values.get(graph.output.value);
  if (output?.state !== 'dequantized') {
    throw new ModelError(
      `${source}: the output "${graph.output.name}" does not come from a DequantizeLinear of activations`,
    );
  }
  const tensors = into.tensors.map((tensor, index) =>
    into.uint8Tensors.has(index) ? unsigned(tensor) : tensor,
  );
  const { layers, floatOperators } = into;
  const parts = finishNetwork(graph, { layers, tensors, input: 0, output: output.tensor });
  const network: Int8Network = {
    ...{ format: 'int8', name, checksum },
    ...settleFusions(graph, parts, floatOperators),
  };
  requireFiniteMultipliers(source, network);
  return network;
}

function unsigned({ quantization, ...tensor }: Tensor): Tensor {
  if (!quantization) return tensor;
  const { scale, zeroPoint } = quantization;
  return { ...tensor, quantization: { scale, zeroPoint } };
}

/** Scales that are numbers themselves may have a product or a ratio that is none. */
function requireFiniteMultipliers(source: string, network: Int8Network): void {
  for (const { name, input, output, scales } of arrayLayers(network)) {
    const [x, y] = [input, output].map(
      (tensor) => network.tensors[tensor].quantization?.scale ?? 1,
    );
    const multipliers = requantizationMultipliers(x, scales, y);
    const channel = multipliers.findIndex((multiplier) => !Number.isFinite(multiplier));
    if (channel < 0) continue;
    throw new ModelError(
      `${source}: layer "${name}" has scales ${x} (input), ${scales[channel]} (weights of channel ${channel}) and ${y} (output), which requantise by no finite number`,
    );
  }
}
