import { Command } from 'commander';
import { requireSafeOutputs, writeFileAtomic } from '../../../core/index.js';
import {
  drawHeatMap,
  encodePng,
  type FaultMap,
  type FaultMapSummary,
  FEWEST_FOR_PARITY,
  faultMapFiles,
  faultsPerBank,
  formatGeometry,
  HEAT_MAP_SIDE,
  importFaultMap,
  type LineSummary,
  summarizeFaultMap,
} from '../../../fault/index.js';
import { addCommonOptions, type CommonOptions, option } from '../../input/options.js';
import { printResult } from '../../print/output.js';
import { formatTable, grouped, percent } from '../../print/table.js';
import { noteLines } from './note-lines.js';
import {
  addReadOptions,
  ofNamedStorage,
  type ReadFlags,
  readInputs,
  readOptionsOf,
} from './read-options.js';

interface ShowFlags extends ReadFlags, CommonOptions {
  readonly png?: string;
}

/** Text lists the faults of every bank up to so many banks. */
const LISTED_BANKS = 32;

export function showCommand(): Command {
  const command = new Command('show')
    .description('Totals of a fault map, its worst lines, and whether its faults are clustered')
    .argument('<file>', 'fault map of any format; two 0/1 matrices as STUCK0,STUCK1')
    .addOption(
      option(
        '--png <file>',
        `write a picture: a pixel a cell (blue stuck-at-0, orange stuck-at-1, black flip), or binned (white to red) above ${HEAT_MAP_SIDE} pixels a side`,
      ),
    )
    .action(show);
  return addCommonOptions(addReadOptions(command));
}

function show(file: string, flags: ShowFlags, command: Command): void {
  requireSafeOutputs([['--png', flags.png]], [...faultMapFiles(file), ...readInputs(flags)]);
  const { map: read, format, repeatedLines } = importFaultMap(file, readOptionsOf(flags, command));
  const map = ofNamedStorage(read, flags, file);
  const summary = summarizeFaultMap(map);
  const { png } = flags;
  const picture = png === undefined ? undefined : writePicture(png, map);
  const perBank = Array.from(faultsPerBank(map), (faults, bank) => ({ bank, faults }));
  const faultyBanks = perBank.filter(({ faults }) => faults > 0);
  const result = {
    file,
    format,
    repeatedLines,
    provenance: map.provenance,
    ...summary,
    perBank: faultyBanks,
    ...(picture && { picture }),
  };
  printResult(flags.json, result, () =>
    [
      `${file}: ${grouped(summary.faults)} faults in ${grouped(summary.cells)} cells (rate ${summary.rate.toExponential(2)})`,
      formatGeometry(map.geometry),
      ...Object.entries(summary.kinds).map(([kind, count]) => `${kind}: ${grouped(count)}`),
      ...regionLines(summary),
      ...noteLines(map.provenance),
      ...(repeatedLines > 0 ? [`repeated lines, merged: ${grouped(repeatedLines)}`] : []),
      '',
      dispersionTable(summary),
      ...looksLine(summary),
      ...worstLines(summary),
      ...pairLine(summary),
      ...parityLine(summary),
      ...(perBank.length > 1 && perBank.length <= LISTED_BANKS
        ? [
            '',
            formatTable(
              ['bank', 'faults'],
              perBank.map((bank) => [`${bank.bank}`, `${bank.faults}`]),
            ),
          ]
        : []),
      ...(picture ? ['', pictureLine(picture)] : []),
    ].join('\n'),
  );
}

interface Picture {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly bin: number;
  readonly banksAcross: number;
}

function writePicture(file: string, map: FaultMap): Picture {
  const heatMap = drawHeatMap(map);
  writeFileAtomic(file, encodePng(heatMap));
  const { width, height, bin, banksAcross } = heatMap;
  return { file, width, height, bin, banksAcross };
}

function pictureLine({ file, width, height, bin, banksAcross }: Picture): string {
  const scale = bin === 1 ? 'a pixel a cell' : `a pixel for ${bin} × ${bin} cells`;
  return `${file}: ${width} × ${height} pixels, ${scale}, ${banksAcross} banks across`;
}

function regionLines({ regions, faults }: FaultMapSummary): string[] {
  if (regions.data === faults) return [];
  return [
    `in data cells: ${grouped(regions.data)}, check: ${grouped(regions.check)}, spare columns: ${grouped(regions['spare-column'])}, spare rows: ${grouped(regions['spare-row'])}`,
  ];
}

const LINES = ['banks', 'rows', 'columns'] as const;

/** Variance of the counts over their mean and over that of uniform faults, and how likely uniform faults are as uneven. */
function dispersionTable(summary: FaultMapSummary): string {
  const rows = LINES.map((name) => {
    const { faulty, varianceToMean, dispersion } = summary[name];
    return [
      name,
      grouped(faulty),
      dispersion?.mean.toPrecision(3) ?? '-',
      varianceToMean?.toPrecision(3) ?? '-',
      dispersion?.index.toPrecision(3) ?? '-',
      dispersion ? probability(dispersion.pValue) : '-',
    ];
  });
  return formatTable(['', 'with faults', 'mean', 'variance/mean', 'variance/uniform', 'p'], rows);
}

function looksLine(summary: FaultMapSummary): string[] {
  const looks = LINES.filter((name) => summary[name].dispersion).length;
  if (looks === 0) return [];
  const correction = looks > 1 ? `, times ${looks} for as many tests` : '';
  return [
    `p: probability that uniform faults are as uneven${correction}; clustered where it is small`,
  ];
}

function probability(value: number): string {
  return value < 1e-300 ? '< 1e-300' : value.toPrecision(2);
}

function worstLines(summary: FaultMapSummary): string[] {
  return LINES.flatMap((name) => {
    const { worst }: LineSummary<{ bank: number; row?: number; column?: number }> = summary[name];
    if (worst.length === 0) return [];
    const entries = worst.map(({ bank, row, column, faults }) => {
      const line = [bank, row ?? column].filter((index) => index !== undefined).join(':');
      return `${line} (${grouped(faults)})`;
    });
    const what = name === 'banks' ? '' : `, bank:${name.slice(0, -1)}`;
    return [`worst ${name}${what} (faults): ${entries.join(', ')}`];
  });
}

function pairLine({ pairs }: FaultMapSummary): string[] {
  if (pairs.length === 0) return [];
  const shares = pairs.map(
    ({ distance, share, byChance }) =>
      `${distance} (${percent(share)} %, by chance ${percent(byChance)} %)`,
  );
  return [`faults with a partner so many columns away in their row: ${shares.join(', ')}`];
}

function parityLine({ rowParity }: FaultMapSummary): string[] {
  if (rowParity === undefined) return [];
  const { columns, share, byChance } = rowParity;
  return [
    `faults in rows of one parity, in the ${grouped(columns)} columns with ${FEWEST_FOR_PARITY} faults or more: ${percent(share)} % (by chance ${percent(byChance)} %)`,
  ];
}
