import { addRectifier, convolutionAttributes, int } from '../graph/attributes.js';
import { createGraphBuilder, type GraphBuilder, type GraphOutput } from '../graph/graph-builder.js';
import { createWeightConstants } from '../graph/weight-constants.js';
import { type Float32ArrayLayer, type Float32Network, inputsOf, isOnArray } from '../network.js';
import { thresholdDims } from './clipped-layer.js';
import { addFloat32Operator } from './operator.js';

/**
 * Clipped activations of float32 layers, by layer name: one threshold per output channel, or one per neuron in
 * channel, row, column order.
 */
export type Float32Clips = ReadonlyMap<
  string,
  { readonly mode: 'clip-zero' | 'clamp'; readonly thresholds: Float32Array }
>;

/** Names of the values on both sides of a clip. */
export interface ClipNames {
  readonly layer: string;
  /** Index into the network's tensors, whose shape both have. */
  readonly tensor: number;
  readonly sum: string;
  readonly clipped: string;
}

/**
 * Writes a float32 network with the standard operators of ONNX; `readNetwork` gives one without clips back. A clip
 * is a comparison and a selection between a layer's sum and its ReLU, and so exact for whatever sum: `clip-zero` is
 * LessOrEqual → Where(sum, 0), which makes NaN 0, `clamp` is Greater → Where(T, sum), which leaves it.
 */
export function writeFloat32(network: Float32Network, clips: Float32Clips = new Map()): Uint8Array {
  return buildFloat32(network, clips, false).bytes;
}

/** `writeFloat32` with the values on both sides of each clip as further outputs of the graph. */
export function writeFloat32Exposed(
  network: Float32Network,
  clips: Float32Clips,
): { readonly bytes: Uint8Array; readonly clipNames: readonly ClipNames[] } {
  return buildFloat32(network, clips, true);
}

function buildFloat32(
  network: Float32Network,
  clips: Float32Clips,
  exposed: boolean,
): { bytes: Uint8Array; clipNames: ClipNames[] } {
  const { tensors } = network;
  const clipNames: ClipNames[] = [];
  const builder = createGraphBuilder(
    network,
    tensors.map(({ name }) => name),
  );
  const weightConstants = createWeightConstants(network, builder);
  for (const layer of network.layers) {
    const operands = inputsOf(layer).map((tensor) => tensors[tensor].name);
    const output = tensors[layer.output].name;
    if (!isOnArray(layer)) {
      addFloat32Operator(builder, layer, operands, output);
      continue;
    }
    const { name, bias, relu } = layer;
    const weights = weightConstants.stored(layer, 'float32');
    const inputs = [
      ...operands,
      weights.name,
      builder.constant(`${name}.bias`, 'float32', [bias.length], bias),
    ];
    const isConvolution = layer.kind === 'convolution';
    const clip = clips.get(name);
    const beforeRelu = relu ? builder.fresh(`${output}_before_relu`) : output;
    const sum = clip ? builder.fresh(`${output}_before_clip`) : beforeRelu;
    builder.node(isConvolution ? 'Conv' : 'Gemm', inputs, sum, {
      name,
      attributes: isConvolution
        ? convolutionAttributes(layer)
        : { transB: int(weights.transposed ? 0 : 1) },
    });
    if (clip) {
      addClip(builder, layer, clip, sum, beforeRelu);
      clipNames.push({ layer: name, tensor: layer.output, sum, clipped: beforeRelu });
    }
    if (relu) addRectifier(builder, layer, beforeRelu, output);
  }
  const output: GraphOutput = {
    name: tensors[network.output].name,
    tensor: network.output,
    elementType: 'float32',
  };
  const atClips = clipNames.flatMap(({ tensor, sum, clipped }) =>
    [sum, clipped].map((name): GraphOutput => ({ name, tensor, elementType: 'float32' })),
  );
  const further = exposed ? atClips.filter(({ name }) => name !== output.name) : [];
  return { bytes: builder.finish([output, ...further]), clipNames };
}

function addClip(
  builder: GraphBuilder,
  layer: Float32ArrayLayer,
  { mode, thresholds }: { readonly mode: 'clip-zero' | 'clamp'; readonly thresholds: Float32Array },
  sum: string,
  clipped: string,
): void {
  const { name } = layer;
  const threshold = builder.constant(
    `${name}.threshold`,
    'float32',
    thresholdDims(layer, thresholds.length),
    thresholds,
  );
  const compare = (opType: string) =>
    builder.node(opType, [sum, threshold], builder.fresh(`${name}.compared`));
  if (mode === 'clamp') {
    builder.node('Where', [compare('Greater'), threshold, sum], clipped);
    return;
  }
  const zero = builder.constant(`${name}.zero`, 'float32', [], Float32Array.of(0));
  builder.node('Where', [compare('LessOrEqual'), sum, zero], clipped);
}
