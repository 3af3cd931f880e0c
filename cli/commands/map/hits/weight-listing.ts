import type { FaultMap } from '../../../../fault/index.js';
import type { Mitigation } from '../../../../mitigation/index.js';
import { type Network, WORD_BITS, weightedLayers, wordReader } from '../../../../models/index.js';
import {
  countFaultyCells,
  type Placement,
  storedWords,
  type WeightHit,
  type WeightPosition,
  weightHits,
  weightLocator,
} from '../../../../sim/index.js';
import { formatTable, grouped } from '../../../print/table.js';
import { cellsText, csvLinesOf, type HitListing } from './hit-listing.js';
import { createHitCounter, formatTotals, type HitCounter } from './hit-totals.js';
import { protectedReads, readsText } from './protected-reads.js';

/** A faulty cell and a weight that it reaches. */
interface HitRow extends Omit<WeightHit, 'storedWord' | 'faultyWord'>, WeightPosition {
  /** The weight without faults, and as the network reads it with all faults of the map. */
  readonly stored: number;
  readonly faulty: number;
  /** Their words in hexadecimal. */
  readonly storedWord: string;
  readonly faultyWord: string;
}

/**
 * The weights that the faulty cells of a map reach, and what a mitigation makes of them.
 *
 * @throws InputError when the mitigation does not fit the network or its memory
 */
export function weightListing(
  map: FaultMap,
  network: Network,
  placement: Placement,
  limit: number,
  mitigation: Mitigation | undefined,
): HitListing {
  const counter = createHitCounter(network);
  const rows = () => hitRows(map, network, placement, counter, limit);
  const cells = countFaultyCells(map, placement);
  const reads = mitigation && protectedReads(mitigation, map, network, placement);
  return {
    ...{ cells, rows },
    csvLines: () => csvLinesOf(CSV_COLUMNS, rows(), (row) => CSV_COLUMNS.map((key) => row[key])),
    table: () => hitTable([...rows()], placement),
    summary() {
      const totals = counter.totals();
      const { all, effectiveFaults } = totals;
      return [
        cellsText(cells, map.cells.length, 'hold weights'),
        `${grouped(all.hits)} hits, ${grouped(all.effective)} of them effective; ${grouped(effectiveFaults)} cells change at least one weight.`,
        '',
        formatTotals(totals),
      ].join('\n');
    },
    totals() {
      const { all, effectiveFaults, layers, bits } = counter.totals();
      return {
        ...{ total: all.hits, effective: all.effective, effectiveFaults, layers, bits },
        ...(reads && {
          verdicts: reads.verdicts,
          ...(reads.repairs && { repairs: reads.repairs }),
          remarks: reads.remarks,
        }),
      };
    },
    lists: reads && { changed: reads.changed() },
    remark: mitigation && reads && readsText(mitigation, reads),
  };
}

/** The first `limit` hits; all of them are counted once the last one has been asked for. */
function* hitRows(
  map: FaultMap,
  network: Network,
  placement: Placement,
  counter: HitCounter,
  limit: number,
): Generator<HitRow, void, undefined> {
  const locate = weightLocator(network);
  const toRow = rowMaker(network);
  let listed = 0;
  for (const hit of weightHits(map, placement, storedWords(network))) {
    const position = locate(hit.weight);
    counter.add(hit, position.layer);
    if (listed === limit) continue;
    listed += 1;
    yield toRow(hit, position);
  }
}

function rowMaker(network: Network): (hit: WeightHit, position: WeightPosition) => HitRow {
  const readers = new Map(weightedLayers(network).map((layer) => [layer.name, wordReader(layer)]));
  const digits = WORD_BITS[network.format] / 4;
  const wordText = (word: number) => `0x${word.toString(16).padStart(digits, '0')}`;
  // Field by field: spreading the two objects takes ten times as long, and a map may have millions of hits.
  return (hit, position) => {
    const toValue = readers.get(position.layer) ?? Number;
    return {
      bank: hit.bank,
      row: hit.row,
      column: hit.column,
      kind: hit.kind,
      layer: position.layer,
      tile: hit.tile,
      outputChannel: position.outputChannel,
      inputChannel: position.inputChannel,
      ky: position.ky,
      kx: position.kx,
      weight: hit.weight,
      bit: hit.bit,
      stored: toValue(hit.storedWord),
      faulty: toValue(hit.faultyWord),
      storedWord: wordText(hit.storedWord),
      faultyWord: wordText(hit.faultyWord),
      effective: hit.effective,
    };
  };
}

const CSV_COLUMNS = [
  'bank',
  'row',
  'column',
  'kind',
  'layer',
  'tile',
  'outputChannel',
  'inputChannel',
  'ky',
  'kx',
  'weight',
  'bit',
  'stored',
  'faulty',
  'storedWord',
  'faultyWord',
  'effective',
] as const satisfies readonly (keyof HitRow)[];

function hitTable(rows: readonly HitRow[], { kind, weightBits }: Placement): string {
  const streamed = kind === 'streamed';
  const valueText = (value: number) =>
    weightBits === 8 ? String(value) : String(Number(value.toPrecision(6)));
  const head = [
    ...['bank', 'row', 'column', 'kind', 'layer'],
    ...(streamed ? ['tile'] : []),
    ...['out,in,ky,kx', 'bit', 'stored', 'faulty', 'stored word', 'faulty word', 'effective'],
  ];
  return formatTable(
    head,
    rows.map((row) => [
      String(row.bank),
      String(row.row),
      String(row.column),
      row.kind,
      row.layer,
      ...(streamed ? [String(row.tile)] : []),
      `${row.outputChannel},${row.inputChannel},${row.ky},${row.kx}`,
      String(row.bit),
      valueText(row.stored),
      valueText(row.faulty),
      row.storedWord,
      row.faultyWord,
      row.effective ? 'yes' : 'no',
    ]),
  );
}
