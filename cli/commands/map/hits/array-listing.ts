import { cellAt, FAULT_KINDS, type FaultKind, type FaultMap } from '../../../../fault/index.js';
import { arrayLayers, type Network } from '../../../../models/index.js';
import {
  type ArrayElement,
  type ArrayHit,
  arrayHits,
  type FaultyCells,
  type PlacedStorage,
  type SystolicArray,
} from '../../../../sim/index.js';
import type { CsvValue } from '../../../print/csv.js';
import { formatTable, grouped } from '../../../print/table.js';
import { cellsText, csvLinesOf, type HitListing } from './hit-listing.js';

/** A faulty cell of the array, and a layer of which something comes through it. */
interface ArrayRow {
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  readonly kind: FaultKind;
  /** The processing element of a register. */
  readonly element?: ArrayElement;
  /** Of the accumulator memory. */
  readonly slot?: number;
  readonly bit: number;
  readonly layer: string;
  readonly outputs: number;
  /** Of weight registers. */
  readonly weights?: number;
}

/** What comes through the faulty registers, or slots of the accumulator memory, of a map. */
export function arrayListing(
  map: FaultMap,
  network: Network,
  storage: PlacedStorage,
  array: SystolicArray,
  limit: number,
  cells: FaultyCells,
): HitListing {
  const toRow = rowMaker(map);
  const layers = arrayLayers(network);
  const ofLayers = new Map(layers.map(({ name }) => [name, { name, hits: 0 }]));
  const bits = Array.from({ length: storage.valueBits }, (_, bit) => ({ bit, hits: 0 }));
  let total = 0;

  function* rows(): Generator<ArrayRow, void, undefined> {
    for (const hit of arrayHits(map, storage, layers, array)) {
      const count = ofLayers.get(hit.layer);
      if (count) count.hits += 1;
      bits[hit.bit].hits += 1;
      total += 1;
      if (total <= limit) yield toRow(hit);
    }
  }

  const places = storage.cells.kind === 'registers' ? ['elementRow', 'elementColumn'] : ['slot'];
  const counts = storage.name === 'weight-registers' ? ['weights', 'outputs'] : ['outputs'];
  const columns = ['bank', 'row', 'column', 'kind', ...places, 'bit', 'layer', ...counts];
  return {
    ...{ cells, rows },
    csvLines: () => csvLinesOf(columns, rows(), csvValues),
    table: () => arrayTable([...rows()], storage.cells.kind === 'registers', counts),
    summary: () =>
      [
        cellsText(cells, map.cells.length, 'are used'),
        `${grouped(total)} hits: faulty cells and layers that use them.`,
        '',
        formatTable(
          ['layer', 'hits'],
          [...ofLayers.values()].map(({ name, hits }) => [name, grouped(hits)]),
        ),
        '',
        formatTable(
          ['bit', 'hits'],
          bits.map(({ bit, hits }) => [String(bit), grouped(hits)]),
        ),
      ].join('\n'),
    totals: () => ({ total, layers: [...ofLayers.values()], bits }),
  };
}

function rowMaker({ geometry, cells, kinds }: FaultMap) {
  return ({ fault, element, slot, bit, layer, outputs, weights }: ArrayHit): ArrayRow => ({
    ...cellAt(geometry, cells[fault]),
    kind: FAULT_KINDS[kinds[fault]],
    ...(element && { element }),
    ...(slot !== undefined && { slot }),
    bit,
    layer,
    ...(weights !== undefined && { weights }),
    outputs,
  });
}

function csvValues({
  bank,
  row,
  column,
  kind,
  element,
  slot,
  bit,
  layer,
  outputs,
  weights,
}: ArrayRow): CsvValue[] {
  return [
    ...[bank, row, column, kind],
    ...(element ? [element.row, element.column] : []),
    ...(slot === undefined ? [] : [slot]),
    ...[bit, layer],
    ...(weights === undefined ? [] : [weights]),
    outputs,
  ];
}

function arrayTable(
  rows: readonly ArrayRow[],
  isOfRegisters: boolean,
  counts: readonly string[],
): string {
  return formatTable(
    [
      ...['bank', 'row', 'column', 'kind', isOfRegisters ? 'element' : 'slot', 'bit', 'layer'],
      ...counts,
    ],
    rows.map(({ bank, row, column, kind, element, slot, bit, layer, outputs, weights }) => [
      ...[String(bank), String(row), String(column), kind],
      element ? `${element.row},${element.column}` : String(slot),
      ...[String(bit), layer],
      ...(weights === undefined ? [] : [grouped(weights)]),
      grouped(outputs),
    ]),
  );
}
