import { FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import type { OnnxAttribute, OnnxModel, OnnxTensor } from '../../models/index.js';
import type { Accelerator } from '../../sim/index.js';
import type { FuzzCase } from './build.js';
import type { StoredWeights } from './forms.js';
import type { FaultChoice } from './recipes.js';

/** The same faults as both sides get them: in a file's initialisers, and in cells. */
export interface StruckCase {
  readonly model: OnnxModel;
  readonly map: FaultMap;
  readonly accelerator: Accelerator;
}

/** Bits of a row. */
const COLUMNS = 32;

/**
 * Faults in a memory of one bank whose rows are words of 32 bits, in which the weights lie one behind the other, least
 * significant bit first. float32 words keep their exponents: sums of enormous weights depend on their order.
 */
export function strike({ model, stored }: FuzzCase, faults: readonly FaultChoice[]): StruckCase {
  const bits = stored[0].data.BYTES_PER_ELEMENT * 8;
  const total = stored.reduce((sum, { data }) => sum + data.length, 0);
  const rows = Math.ceil((total * bits) / COLUMNS);
  const cells = new Map(
    faults.map(({ place, bit, kind }) => {
      const failing = bits === 8 ? bit % 8 : bit < 23 ? bit : 31;
      return [Math.floor(place * total) * bits + failing, kind];
    }),
  );
  const sorted = [...cells].sort(([one], [other]) => one - other);
  const struck = new Map(stored.map(({ data }) => [data, data.slice()]));
  for (const [cell, kind] of sorted) {
    const bit = cell % bits;
    const { data, index } = weightAt(stored, (cell - bit) / bits);
    const copy = struck.get(data) ?? data;
    const words = bits === 8 ? new Uint8Array(copy.buffer) : new Uint32Array(copy.buffer);
    if (kind === 'flip') words[index] ^= 1 << bit;
    else if (kind === 'stuck-at-1') words[index] |= 1 << bit;
    else words[index] &= ~(1 << bit);
  }
  return {
    model: withData(model, struck),
    map: {
      geometry: { banks: 1, rows, columns: COLUMNS },
      cells: Float64Array.from(sorted, ([cell]) => cell),
      kinds: Uint8Array.from(sorted, ([, kind]) => FAULT_KINDS.indexOf(kind)),
      provenance: { source: 'file', file: 'random' },
    },
    accelerator: {
      name: 'random',
      array: { rows: 4, columns: 4, dataflow: 'weight-stationary' },
      weightMemory: { banks: 1, rows, wordBits: COLUMNS, columnMux: 1 },
    },
  };
}

/** The array that holds a weight, numbered over all in network order, and its place there. */
function weightAt(stored: readonly StoredWeights[], weight: number) {
  let within = weight;
  for (const { data, dims, axis } of stored) {
    if (within < data.length) {
      // Network order counts output channels first.
      const [rows, columns] = dims;
      const index = axis === 0 ? within : (within % rows) * columns + Math.floor(within / rows);
      return { data, index };
    }
    within -= data.length;
  }
  throw new Error(`no weight ${weight}`);
}

type Data = StoredWeights['data'];

function withData({ graph, ...model }: OnnxModel, changed: ReadonlyMap<Data, Data>): OnnxModel {
  const change = (tensor: OnnxTensor) =>
    ({ ...tensor, data: changed.get(tensor.data as Data) ?? tensor.data }) as OnnxTensor;
  const changeAttribute = (attribute: OnnxAttribute): OnnxAttribute =>
    attribute.type === 'tensor' ? { ...attribute, value: change(attribute.value) } : attribute;
  return {
    ...model,
    graph: {
      ...graph,
      initializers: graph.initializers.map(change),
      nodes: graph.nodes.map(({ attributes, ...node }) => ({
        ...node,
        attributes: new Map([...attributes].map(([key, value]) => [key, changeAttribute(value)])),
      })),
    },
  };
}
