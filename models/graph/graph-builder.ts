import { ModelError } from '../../core/index.js';
import {
  inputsOf,
  isOnArray,
  type Layer,
  type Network,
  type NetworkValue,
  networkInputs,
  networkOutputs,
} from '../network.js';
import {
  type ElementType,
  encodeOnnx,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  type TensorOf,
} from '../onnx/index.js';

/** The newest operator set in which per-channel DequantizeLinear and every reader's support meet, and its IR version. */
const VERSIONS = { opset: 13, irVersion: 7 };
/** The same for averages in float32 that are summed row by row: the first that onnxruntime sums so. */
const VERSIONS_BY_ROWS = { opset: 19, irVersion: 9 };
export const MICROSOFT_DOMAIN = 'com.microsoft';

/** Collects the parts of an ONNX graph for one network. */
export interface GraphBuilder {
  /** A value name that nothing else has; `wanted` if it is free. */
  fresh(wanted: string): string;
  /** Adds a constant; returns the name it got. */
  constant<T extends ElementType>(
    wanted: string,
    elementType: T,
    dims: readonly number[],
    data: TensorOf<T>['data'],
  ): string;
  /** Adds a node with one output; returns the output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string,
    options?: {
      readonly name?: string;
      readonly domain?: string;
      readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
    },
  ): string;
  /** The ONNX file, with the given graph outputs and a symbolic batch. */
  finish(outputs: readonly GraphOutput[]): Uint8Array;
}

export interface GraphOutput {
  /** Name of the value. */
  readonly name: string;
  /** Index into the network's tensors, whose shape it has. */
  readonly tensor: number;
  readonly elementType: ElementType;
}

/**
 * @param reserved names of values that the caller makes itself
 * @throws ModelError when the network has no layers, or `reserved` holds a name twice
 */
export function createGraphBuilder(network: Network, reserved: readonly string[]): GraphBuilder {
  if (network.layers.length === 0) throw new ModelError(`${network.name} has no layers to write`);
  requireMaps(network);
  const taken = new Set<string>();
  for (const name of reserved) {
    if (name === '' || taken.has(name)) {
      throw new ModelError(`${network.name} would use the value name "${name}" twice or unnamed`);
    }
    taken.add(name);
  }
  const layers: readonly Layer[] = network.layers;
  const byRows = layers.some((layer) => 'inFloat32' in layer && layer.inFloat32 === 'rows');
  const { opset, irVersion } = byRows ? VERSIONS_BY_ROWS : VERSIONS;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const ranks = tensorRanks(network);
  const domains = new Set(['']);

  function fresh(wanted: string): string {
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted}_${count}`;
    taken.add(name);
    return name;
  }

  function value(name: string, tensor: number, elementType: ElementType): OnnxValue {
    const { channels, height, width } = network.tensors[tensor].shape;
    const features = ranks[tensor] === 4 ? [channels, height, width] : [channels];
    return { name, elementType, dims: ['batch', ...features] };
  }

  return {
    fresh,
    constant(wanted, elementType, dims, data) {
      const name = fresh(wanted);
      // elementType and data belong together in TensorOf; TypeScript cannot see it through the generic.
      initializers.push({ name, elementType, dims, data } as unknown as OnnxTensor);
      return name;
    },
    node(opType, inputs, output, options = {}) {
      const { name = output, domain = '', attributes = {} } = options;
      domains.add(domain);
      nodes.push({
        name,
        opType,
        domain,
        inputs,
        outputs: [output],
        attributes: new Map(Object.entries(attributes)),
      });
      return output;
    },
    finish(outputs) {
      return encodeOnnx({
        irVersion,
        producer: 'bitcell',
        opsets: new Map([...domains].map((domain) => [domain, domain === '' ? opset : 1])),
        metadata: new Map([['producer', 'bitcell']]),
        graph: {
          name: network.name,
          nodes,
          initializers,
          inputs: [value(network.tensors[network.input].name, network.input, 'float32')],
          outputs: outputs.map(({ name, tensor, elementType }) => value(name, tensor, elementType)),
        },
      });
    },
  };
}

/** Files are written for one input and one output, both maps or vectors, and layers that take tensors as they are. */
function requireMaps(network: Network): void {
  const ends = [networkInputs(network), networkOutputs(network)];
  const isMap = ({ dims, layout, elementType }: NetworkValue) =>
    layout === 'channels-last' && dims.length !== 3 && elementType === 'float32';
  const layers: readonly Layer[] = network.layers;
  const isSeenOtherwise = layers.some((layer) => {
    if (!isOnArray(layer)) return false;
    const { channels, height, width } = network.tensors[layer.input].shape;
    const { input } = layer.shape;
    return channels !== input.channels || height !== input.height || width !== input.width;
  });
  if (ends.every((values) => values.length === 1 && values.every(isMap)) && !isSeenOtherwise)
    return;
  throw new ModelError(
    `${network.name} cannot be written to an ONNX file: only networks with one input and one output, of [batch, channels, height, width] or [batch, features], are; use the file that it was read from`,
  );
}

/** Dimensions of each tensor in ONNX, batch included: fully connected layers take vectors. */
export function tensorRanks(network: Network): (2 | 4)[] {
  const layers: readonly Layer[] = network.layers;
  const ranks = new Map<number, 2 | 4>();
  const isVector = layers.some(
    (layer) => layer.kind === 'fully-connected' && layer.input === network.input,
  );
  ranks.set(network.input, isVector ? 2 : 4);
  for (const layer of layers) {
    const found = inputsOf(layer).map((tensor) => ranks.get(tensor));
    const [rank] = found;
    const expected = expectedRank(layer) ?? rank;
    if (rank === undefined || found.some((other) => other !== expected)) {
      throw new ModelError(
        `${network.name}: layer "${layer.name}" of kind ${layer.kind} cannot follow its input; put a flatten layer between feature maps and fully connected layers`,
      );
    }
    ranks.set(layer.output, layer.kind === 'flatten' ? 2 : rank);
  }
  return network.tensors.map((_, index) => ranks.get(index) ?? 4);
}

/** Dimensions of what a layer takes; undefined where it takes either. */
function expectedRank({ kind }: Layer): 2 | 4 | undefined {
  switch (kind) {
    case 'fully-connected':
      return 2;
    case 'convolution':
    case 'max-pool':
    case 'average-pool':
    case 'global-average-pool':
      return 4;
    default:
      return undefined;
  }
}
