import { cellAt, FAULT_KINDS, type FaultKind, type FaultMap } from '../../../../fault/index.js';
import type { Network } from '../../../../models/index.js';
import {
  type FaultyCells,
  type FeatureMaps,
  type StoredTensor,
  type ValueHit,
  valueHits,
} from '../../../../sim/index.js';
import { formatTable, grouped } from '../../../print/table.js';
import { cellsText, csvLinesOf, type HitListing } from './hit-listing.js';

/** A faulty cell and a value of a tensor that it holds. */
interface ValueRow {
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  readonly kind: FaultKind;
  readonly tensor: string;
  /** The layer that writes it; null: it is the network's input. */
  readonly layer: string | null;
  readonly y: number;
  readonly x: number;
  readonly channel: number;
  readonly bit: number;
  readonly tile: number;
}

const COLUMNS = [
  'bank',
  'row',
  'column',
  'kind',
  'tensor',
  'layer',
  'y',
  'x',
  'channel',
  'bit',
  'tile',
] as const satisfies readonly (keyof ValueRow)[];

/** The values of some tensors that the faulty cells of a map of the feature-map memory reach. */
export function valueListing(
  map: FaultMap,
  network: Network,
  featureMaps: FeatureMaps,
  tensors: readonly StoredTensor[],
  limit: number,
  cells: FaultyCells,
): HitListing {
  const toRow = rowMaker(map, network);
  const ofTensors = tensors.map(({ tensor, layer = null }) => ({
    ...{ tensor: network.tensors[tensor].name, layer, hits: 0 },
  }));
  const ofTensor = new Map(tensors.map((stored, index) => [stored, ofTensors[index]]));
  const bits = Array.from({ length: featureMaps.valueBits }, (_, bit) => ({ bit, hits: 0 }));
  let total = 0;

  function* rows(): Generator<ValueRow, void, undefined> {
    for (const hit of valueHits(map, featureMaps, tensors)) {
      const count = ofTensor.get(hit.stored);
      if (count) count.hits += 1;
      bits[hit.bit].hits += 1;
      total += 1;
      if (total <= limit) yield toRow(hit);
    }
  }

  const isStreamed = featureMaps.kind === 'streamed';
  return {
    ...{ cells, rows },
    csvLines: () => csvLinesOf(COLUMNS, rows(), (row) => COLUMNS.map((key) => row[key])),
    table: () => valueTable([...rows()], isStreamed),
    summary: () =>
      [
        cellsText(cells, map.cells.length, 'hold values'),
        `${grouped(total)} hits.`,
        '',
        formatTable(
          ['tensor', 'layer', 'hits'],
          ofTensors.map(({ tensor, layer, hits }) => [tensor, layer ?? '-', grouped(hits)]),
        ),
        '',
        formatTable(
          ['bit', 'hits'],
          bits.map(({ bit, hits }) => [String(bit), grouped(hits)]),
        ),
      ].join('\n'),
    totals: () => ({ total, tensors: ofTensors, bits }),
  };
}

function rowMaker({ geometry, cells, kinds }: FaultMap, network: Network) {
  return ({ fault, stored, value, bit }: ValueHit): ValueRow => {
    const { bank, row, column } = cellAt(geometry, cells[fault]);
    const { name, shape } = network.tensors[stored.tensor];
    const position = Math.floor(value / shape.channels);
    const y = Math.floor(position / shape.width);
    return {
      bank,
      row,
      column,
      kind: FAULT_KINDS[kinds[fault]],
      tensor: name,
      layer: stored.layer ?? null,
      y,
      x: position - y * shape.width,
      channel: value - position * shape.channels,
      bit,
      tile: stored.placement.tileOf(value),
    };
  };
}

function valueTable(rows: readonly ValueRow[], isStreamed: boolean): string {
  return formatTable(
    [
      ...['bank', 'row', 'column', 'kind', 'tensor', 'layer'],
      ...(isStreamed ? ['tile'] : []),
      ...['y,x,channel', 'bit'],
    ],
    rows.map((row) => [
      ...[String(row.bank), String(row.row), String(row.column), row.kind],
      ...[row.tensor, row.layer ?? '-'],
      ...(isStreamed ? [String(row.tile)] : []),
      ...[`${row.y},${row.x},${row.channel}`, String(row.bit)],
    ]),
  );
}
