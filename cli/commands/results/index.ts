import { Command } from 'commander';
import {
  continueCommand,
  DEFAULT_REQUIREMENT,
  dieVmins,
  findCheapest,
  openResults,
  POINT_COLUMNS,
  priceColumns,
  RESULT_TABLES,
  type ResultFilter,
  type ResultRows,
  type ResultTable,
  requireReadable,
  type StoredResults,
  type StudyPoint,
  type StudyPrices,
  salvageRows,
  savedEnergiesOrReasons,
  savedPricesOrReasons,
  savedRequirement,
  storeFiles,
  vminEnergies,
  withPrecision,
  withPrices,
  withYieldWithin,
  yieldLimits,
} from '../../../campaign/index.js';
import { InputError, requireSafeOutputs } from '../../../core/index.js';
import { parseMitigation } from '../../../mitigation/index.js';
import { axisOption } from '../../input/axis-options.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  list,
  option,
  priceFigures,
  pricesOption,
  withinOption,
  yieldOption,
} from '../../input/options.js';
import { formatCsv } from '../../print/csv.js';
import { printResult, printText } from '../../print/output.js';
import { diesJson, formatDies } from '../../print/study/die-table.js';
import { metricJson, savedMetric, withMetric } from '../../print/study/metric.js';
import {
  formatLegend,
  formatPointNotes,
  formatPoints,
  formatPrecision,
  formatRemainder,
  formatYieldLimits,
} from '../../print/study/study-table.js';
import { savedTaskText } from '../../print/study/task-text.js';
import { formatVmins } from '../../print/study/vmin-table.js';
import { formatDecisions } from './decision-table.js';
import { diesWithin, drawDies, printVmins, requiredWithin } from './measured-dies.js';

interface ResultsFlags extends CommonOptions, Readonly<Record<string, unknown>> {
  readonly table: ResultTable | 'vmin';
  readonly csv?: boolean;
  readonly parquet?: string;
  readonly svg?: string;
  readonly waferSvg?: string;
  readonly salvage?: boolean;
  readonly within?: number;
  readonly yield?: number;
  readonly prices?: string;
}

/** The options that choose rows, and the columns by which they do. */
const FILTERS = POINT_COLUMNS.map(({ name, filter }) => ({
  column: name,
  option: axisOption(filter, { files: names, mitigations: mitigationNames }),
}));

export function resultsCommand(): Command {
  const command = new Command('results')
    .description('Print or export what a study saved with --out')
    .argument('<folder>', 'output folder of the study')
    .addOption(
      choice(
        '--table <name>',
        'rows: one a point, one a trial, one a die at a voltage under a mitigation, or one a die under a mitigation, with its lowest voltage',
        [...RESULT_TABLES, 'vmin'],
      ).default('point'),
    )
    .addOption(option('--csv', 'print rows as CSV'))
    .addOption(option('--parquet <file>', 'write rows to a Parquet file'))
    .addOption(
      option('--svg <file>', 'draw the verdicts on dies, a cell a die and voltage, as SVG'),
    )
    .addOption(
      option('--wafer-svg <file>', 'draw the verdicts on dies at their x and y on wafers, as SVG'),
    )
    .addOption(
      option('--salvage', 'print as CSV (or JSON) the rows that can be read of damaged results'),
    );
  for (const filter of FILTERS) command.addOption(filter.option);
  command
    .addOption(withinOption('default: what the study says'))
    .addOption(
      yieldOption(
        'add, for each mitigation, the highest rate or lowest voltage at which this share of maps is good',
      ),
    )
    .addOption(pricesOption())
    .action(results);
  return addCommonOptions(command);
}

async function results(folder: string, flags: ResultsFlags): Promise<void> {
  const { table, csv, parquet, json } = flags;
  const figures = priceFigures(flags.prices);
  if (csv && json) throw new InputError('give either --csv or --json');
  if (table === 'vmin' && parquet !== undefined) {
    throw new InputError(
      '--parquet writes rows as they are saved, and --table vmin is made of them: give it with --csv or --json',
    );
  }
  requireSafeOutputs(
    [
      ['--svg', flags.svg],
      ['--wafer-svg', flags.waferSvg],
      ['--parquet', parquet],
    ],
    [flags.prices, ...storeFiles(folder)],
  );
  await requireReadable(folder);
  if (flags.salvage) {
    await salvage(folder, flags);
    return;
  }
  const stored = await openResults(folder);
  try {
    const filter = filterOf(flags);
    if (csv || parquet !== undefined) requireSavedYields(stored, flags);
    await drawDies(diesWithin(stored, filter, flags.within), flags);
    const prices = savedPricesOrReasons(stored, figures);
    if (table === 'vmin') {
      printVmins(diesWithin(stored, filter, flags.within), { stored, prices, csv, json });
      return;
    }
    const added = () =>
      table === 'point' ? priceColumns(stored.points(filter), prices) : undefined;
    if (parquet !== undefined) await stored.writeParquet(table, filter, parquet, added());
    if (csv) {
      printText(formatCsv(await stored.rows(table, filter, added())));
    } else if (table !== 'point' && parquet === undefined) {
      await printRows(stored, { table, filter, json });
    } else if (json || parquet === undefined) {
      await printPoints(folder, stored, { filter, prices, flags });
    }
  } finally {
    stored.close();
  }
}

async function salvage(folder: string, flags: ResultsFlags): Promise<void> {
  const { table, json, quiet } = flags;
  const { parquet, within, yield: wanted, prices, svg, waferSvg } = flags;
  const others = [parquet, within, wanted, prices, svg, waferSvg].some(
    (value) => value !== undefined,
  );
  if (others || table === 'vmin' || given(filterOf(flags))) {
    throw new InputError('--salvage takes all rows: give it with --table, --csv or --json alone');
  }
  const { columns, rows, lost } = await salvageRows(folder, table);
  if (!quiet) {
    const lines = lost.map((what) => `lost: ${what}\n`);
    process.stderr.write(lost.length > 0 ? lines.join('') : 'nothing is lost\n');
  }
  printResult(json, { lost, [`${table}s`]: asObjects({ columns, rows }) }, () =>
    formatCsv({ columns, rows }).trimEnd(),
  );
}

function given(filter: ResultFilter): boolean {
  return Object.keys(filter).length > 0;
}

/** A list, or one name with a comma in it, as a pair of 0/1 matrices has. */
function names(text: string): string[] {
  return [text, ...list(text)];
}

/** Mitigations as the rows name them: words in canonical order, other names as they are. */
function mitigationNames(text: string): string[] {
  return list(text).map((name) => {
    try {
      return parseMitigation(name).name;
    } catch (error) {
      if (error instanceof InputError) return name;
      throw error;
    }
  });
}

function filterOf(flags: ResultsFlags): ResultFilter {
  const values = FILTERS.map(({ column, option }) => [column, flags[option.attributeName()]]);
  return Object.fromEntries(values.filter(([, wanted]) => wanted !== undefined));
}

/** @throws InputError when rows of points are asked for as they are saved, with other yields than are saved */
function requireSavedYields(stored: StoredResults, { table, within }: ResultsFlags): void {
  const saved = savedRequirement(stored.configuration).within;
  if (table === 'trial' || within === undefined || within === saved) return;
  throw new InputError(
    `--within ${within}: the rows of this study have yields within ${saved} points; print with --json, or make them from --table trial`,
  );
}

async function printPoints(
  folder: string,
  stored: StoredResults,
  {
    filter,
    prices,
    flags,
  }: {
    readonly filter: ResultFilter;
    readonly prices: StudyPrices;
    readonly flags: ResultsFlags;
  },
): Promise<void> {
  const { json, within, yield: wanted } = flags;
  const saved = stored.points(filter);
  const points =
    within === undefined
      ? saved
      : withYieldWithin(saved, await stored.counts(filter), within / 100);
  const share = requiredWithin(stored, within);
  const dies = diesWithin(stored, filter, within);
  const energies = vminEnergies(dieVmins(dies), savedEnergiesOrReasons(stored), prices);
  const precision = precisionOf(stored);
  const metric = savedMetric(stored.configuration);
  const task = savedTaskText(stored.configuration);
  const limits =
    wanted === undefined || points.length === 0 ? undefined : yieldLimits(points, wanted);
  const decisions = isDecided(stored, points, flags)
    ? await findCheapest(stored, filter, { within, yield: wanted, priceUnit: 'cells', prices })
    : [];
  const { missing, points: counts } = stored.remainder;
  const complete = counts.complete >= counts.planned;
  const command = continueCommand(stored.configuration, folder);
  printResult(
    json,
    {
      configuration: stored.configuration,
      versions: stored.versions,
      complete,
      ...(!complete && { missing, continue: command }),
      ...metricJson(metric),
      points: json ? withMetric(withPrices(withPrecision(points, precision), prices), metric) : [],
      ...(dies.length > 0 && diesJson(dies, share, energies)),
      ...(limits && { yieldLimits: limits }),
      ...(decisions.length > 0 && { decisions }),
    },
    () =>
      [
        ...(points.length === 0
          ? [complete ? 'no point matches' : 'no point with a fault map matches']
          : [
              formatPoints(points, metric),
              '',
              formatLegend(points, metric, dies),
              ...(task === undefined ? [] : [task]),
              ...formatPointNotes(points),
              ...(dies.length > 0
                ? ['', ...formatDies(dies, share), ...formatVmins(energies)]
                : []),
              ...(complete ? formatPrecision(points, precision) : []),
              ...(limits ? ['', formatYieldLimits(limits, points)] : []),
              ...(decisions.length > 0 ? ['', formatDecisions(decisions)] : []),
            ]),
        ...(complete ? [] : ['', formatRemainder(stored.remainder, precision, command)]),
      ].join('\n'),
  );
}

/** Whether there is a choice of mitigations, and a requirement was given: here, or to the study. */
function isDecided(
  { configuration }: StoredResults,
  points: readonly StudyPoint[],
  { within, yield: wanted }: ResultsFlags,
): boolean {
  const saved = savedRequirement(configuration);
  const isGiven =
    [within, wanted].some((value) => value !== undefined) ||
    saved.within !== DEFAULT_REQUIREMENT.within ||
    saved.yield !== DEFAULT_REQUIREMENT.yield;
  const isDrawn = configuration.faultMaps === undefined && configuration.dies === undefined;
  return isGiven && isDrawn && new Set(points.map(({ mitigation }) => mitigation)).size > 1;
}

/** That of points: dies have their own. */
function precisionOf({ configuration }: StoredResults): number | undefined {
  const { precision, dies } = configuration;
  return typeof precision === 'number' && dies === undefined ? precision : undefined;
}

async function printRows(
  stored: StoredResults,
  {
    table,
    filter,
    json,
  }: {
    readonly table: ResultTable;
    readonly filter: ResultFilter;
    readonly json: boolean | undefined;
  },
): Promise<void> {
  const rows = await stored.rows(table, filter);
  printResult(json, { [`${table}s`]: asObjects(rows) }, () => formatCsv(rows).trimEnd());
}

function asObjects({ columns, rows }: ResultRows): object[] {
  return rows.map((row) => Object.fromEntries(row.map((cell, at) => [columns[at], cell])));
}
