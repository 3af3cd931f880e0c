import { Command } from 'commander';
import {
  InputError,
  requireSafeOutputs,
  visibleLines,
  writePartsAtomic,
} from '../../../../core/index.js';
import {
  cellCount,
  type FaultMap,
  faultMapFiles,
  formatGeometry,
  importFaultMap,
  requireGeometry,
} from '../../../../fault/index.js';
import { type Mitigation, NO_MITIGATION } from '../../../../mitigation/index.js';
import { type Network, WORD_BITS, weightedLayers, wordReader } from '../../../../models/index.js';
import {
  countFaultyCells,
  type FaultyCells,
  type Placement,
  storedWords,
  type WeightHit,
  type WeightPosition,
  weightHits,
  weightLocator,
} from '../../../../sim/index.js';
import { modelFile } from '../../../input/input-files.js';
import {
  addCommonOptions,
  type CommonOptions,
  mitigationOption,
  option,
  wholeNumber,
} from '../../../input/options.js';
import { csvCell } from '../../../print/csv.js';
import { printParts, resultParts } from '../../../print/output.js';
import { formatTable, grouped } from '../../../print/table.js';
import { namesAccelerator } from '../geometry-options.js';
import { addMemoryOptions, type MemoryFlags, memoryOf } from '../memory-options.js';
import { createHitCounter, formatTotals, type HitCounter, type HitTotals } from './hit-totals.js';
import { protectedReads, readsText } from './protected-reads.js';

interface HitsFlags extends MemoryFlags, CommonOptions {
  readonly limit?: number;
  readonly csv?: string;
  readonly mitigation?: Mitigation;
}

/** Rows that a text table of hits has at most, unless the user says otherwise. */
const SHOWN_HITS = 20;

const STDOUT = '-';

export function hitsCommand(): Command {
  const command = new Command('hits')
    .description('The weights that the faulty cells of a map reach')
    .argument('<file>', 'fault map; a pair of 0/1 matrices: STUCK0.csv,STUCK1.csv')
    .addOption(
      option(
        '--limit <n>',
        `list so many (default: ${SHOWN_HITS}; with --json and --csv all)`,
      ).argParser(wholeNumber(0)),
    )
    .addOption(
      option('--csv <file>', 'write the list as CSV; - is standard output').conflicts('json'),
    )
    .addOption(mitigationOption('what protects the network (default: none)'))
    .action(hits);
  return addCommonOptions(addMemoryOptions(command));
}

/** A faulty cell and a weight that it reaches. */
interface HitRow extends Omit<WeightHit, 'storedWord' | 'faultyWord'>, WeightPosition {
  /** The weight without faults, and as the network reads it with all faults of the map. */
  readonly stored: number;
  readonly faulty: number;
  /** Their words in hexadecimal. */
  readonly storedWord: string;
  readonly faultyWord: string;
}

async function hits(file: string, flags: HitsFlags, command: Command): Promise<void> {
  const { json, csv, model, format, accelerator, mitigation = NO_MITIGATION } = flags;
  const inputs = [...faultMapFiles(file), modelFile(model), accelerator];
  requireSafeOutputs([['--csv', csv === STDOUT ? undefined : csv]], inputs);
  const { network, placement } = memoryOf(flags);
  const map = mapFor(file, placement, command);
  const limit = flags.limit ?? (json || csv ? Number.POSITIVE_INFINITY : SHOWN_HITS);
  const counter = createHitCounter(network);
  const rows = hitRows(map, network, placement, counter, limit);
  const cells = countFaultyCells(map, placement);
  const reads = flags.mitigation && protectedReads(flags.mitigation, map, network, placement);
  if (json) {
    const memory = { model, format, accelerator, geometry: map.geometry };
    const head = { file, ...memory, mitigation: mitigation.name, cells: cellCount(map.geometry) };
    const counts = { faults: map.cells.length, faultyCells: cells, placement: placement.kind };
    await printParts(
      resultParts(
        { ...head, ...counts },
        { hits: rows, ...(reads && { changed: reads.changed() }) },
        () => {
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
      ),
    );
  } else if (csv === STDOUT) {
    await printParts(csvLines(rows));
  } else if (csv !== undefined) {
    writePartsAtomic(csv, csvLines(rows));
    await printParts([`${csv}: ${summary(map, cells, counter.totals())}\n`]);
  } else {
    const memory = `${model} with ${format} words, ${placement.kind} on ${accelerator}: ${formatGeometry(map.geometry)}`;
    const table = hitTable([...rows], placement);
    const remark = reads ? `\n${readsText(mitigation, reads)}\n` : '';
    const text = `${memory}\n\n${table}\n\n${summary(map, cells, counter.totals())}\n${remark}`;
    await printParts([visibleLines(text)]);
  }
}

/**
 * The map in a file.
 *
 * @throws InputError when it is for another memory, or neither the file nor the user says for which
 */
function mapFor(file: string, { geometry, memory }: Placement, command: Command): FaultMap {
  const isNamed = namesAccelerator(command);
  const { columnMux } = memory;
  const { map, format } = importFaultMap(file, isNamed ? { geometry, columnMux } : { columnMux });
  if (!isNamed && format !== 'json' && format !== 'binary') {
    throw new InputError(
      `${file} does not say which memory it is of: name it with --model, --format, --accelerator or --placement.`,
    );
  }
  requireGeometry(map, geometry, file);
  return map;
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

function* csvLines(rows: Iterable<HitRow>): Generator<string, void, undefined> {
  yield `${CSV_COLUMNS.join()}\n`;
  for (const row of rows) yield csvLine(row);
}

function csvLine(row: HitRow): string {
  return `${CSV_COLUMNS.map((key) => csvCell(row[key])).join()}\n`;
}

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

function summary(map: FaultMap, cells: FaultyCells, totals: HitTotals): string {
  const { used, unused, check, spare } = cells;
  const kinds = [
    `${grouped(used)} hold weights`,
    `${grouped(unused)} are unused`,
    ...(check > 0 ? [`${grouped(check)} hold check bits`] : []),
    ...(spare > 0 ? [`${grouped(spare)} are spare`] : []),
  ].join(', ');
  const { all, effectiveFaults } = totals;
  return [
    `${grouped(map.cells.length)} faulty cells: ${kinds}.`,
    `${grouped(all.hits)} hits, ${grouped(all.effective)} of them effective; ${grouped(effectiveFaults)} cells change at least one weight.`,
    '',
    formatTotals(totals),
  ].join('\n');
}
