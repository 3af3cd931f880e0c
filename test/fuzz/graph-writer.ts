import type {
  ElementType,
  OnnxAttribute,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
  TensorOf,
} from '../../models/index.js';

/** Collects nodes and constants of one ONNX model. */
export interface GraphWriter {
  /** A name nobody else has. */
  fresh(what: string): string;
  /** Adds a constant; returns its name. */
  constant<T extends ElementType>(
    what: string,
    elementType: T,
    dims: readonly number[],
    data: TensorOf<T>['data'],
  ): string;
  /** Adds a node with one output; returns the output's name. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): string;
  finish(opset: number, input: OnnxValue, outputs: readonly OnnxValue[]): OnnxModel;
}

/** The IR version that came with each operator set from 13 on. */
const IR_VERSIONS: readonly (readonly [opset: number, irVersion: number])[] = [
  [13, 7],
  [15, 8],
  [19, 9],
  [21, 10],
];

/** @param constantNodes whether scalars are Constant nodes instead of initialisers */
export function createGraphWriter(constantNodes: boolean): GraphWriter {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const domains = new Set(['']);
  let names = 0;

  function fresh(what: string): string {
    names += 1;
    return `${what}${names}`;
  }

  function node(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = '',
  ): string {
    domains.add(domain);
    const entries = new Map(Object.entries(attributes));
    nodes.push({
      name: `${output}_node`,
      opType,
      domain,
      inputs,
      outputs: [output],
      attributes: entries,
    });
    return output;
  }

  return {
    fresh,
    node,
    constant(what, elementType, dims, data) {
      const name = fresh(what);
      // elementType and data belong together in TensorOf; TypeScript cannot see it through the generic.
      const tensor = { name, elementType, dims, data } as unknown as OnnxTensor;
      if (constantNodes && data.length === 1) {
        node('Constant', [], name, { value: { type: 'tensor', value: { ...tensor, name: '' } } });
      } else {
        initializers.push(tensor);
      }
      return name;
    },
    finish(opset, input, outputs) {
      const irVersion = IR_VERSIONS.findLast(([first]) => first <= opset)?.[1] ?? 7;
      return {
        irVersion,
        producer: 'fuzz',
        opsets: new Map([...domains].map((domain) => [domain, domain === '' ? opset : 1])),
        metadata: new Map(),
        graph: { name: 'random', nodes, initializers, inputs: [input], outputs },
      };
    },
  };
}

export const int = (value: number): OnnxAttribute => ({ type: 'int', value });
export const ints = (value: readonly number[]): OnnxAttribute => ({ type: 'ints', value });
export const float = (value: number): OnnxAttribute => ({ type: 'float', value });
export const string = (value: string): OnnxAttribute => ({ type: 'string', value });
