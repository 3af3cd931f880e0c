import { Command } from 'commander';
import {
  openResults,
  RESULT_TABLES,
  type ResultFilter,
  type ResultTable,
  type StoredResults,
} from '../../campaign/index.js';
import { InputError } from '../../core/index.js';
import { formatCsv } from '../csv.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  list,
  option,
  rateList,
} from '../options.js';
import { printResult } from '../output.js';
import { formatLegend, formatPoints } from '../study-table.js';

interface ResultsFlags extends CommonOptions {
  readonly table: ResultTable;
  readonly csv?: boolean;
  readonly parquet?: string;
  readonly model?: readonly string[];
  readonly format?: readonly string[];
  readonly accelerator?: readonly string[];
  readonly faults?: readonly string[];
  readonly scope?: readonly string[];
  readonly mitigation?: readonly string[];
  readonly rate?: readonly number[];
}

export function resultsCommand(): Command {
  const command = new Command('results')
    .description('Print or export what a study saved with --out')
    .argument('<folder>', 'output folder of the study')
    .addOption(
      choice('--table <name>', 'rows: one a point, or one a trial', RESULT_TABLES).default('point'),
    )
    .addOption(option('--csv', 'print rows as CSV'))
    .addOption(option('--parquet <file>', 'write rows to a Parquet file'))
    .addOption(option('--model <models>', 'only these').argParser(list))
    .addOption(option('--format <formats>', 'only these word formats').argParser(list))
    .addOption(option('--accelerator <accelerators>', 'only these').argParser(list))
    .addOption(option('--faults <names>', 'only these fault models or map files').argParser(list))
    .addOption(option('--scope <scopes>', 'only these').argParser(list))
    .addOption(option('--mitigation <mitigations>', 'only these').argParser(list))
    .addOption(option('--rate <rates>', 'only these fault rates').argParser(rateList))
    .action(results);
  return addCommonOptions(command);
}

async function results(folder: string, flags: ResultsFlags): Promise<void> {
  const { table, csv, parquet, json } = flags;
  if (csv && json) throw new InputError('give either --csv or --json');
  const stored = await openResults(folder);
  try {
    const filter = filterOf(flags);
    if (parquet !== undefined) await stored.writeParquet(table, filter, parquet);
    if (csv) {
      process.stdout.write(formatCsv(await stored.rows(table, filter)));
    } else if (table === 'trial' && parquet === undefined) {
      await printTrials(stored, filter, json);
    } else if (json || parquet === undefined) {
      await printPoints(stored, filter, json);
    }
  } finally {
    stored.close();
  }
}

function filterOf(flags: ResultsFlags): ResultFilter {
  const { model, format, accelerator, faults, scope, mitigation, rate } = flags;
  return {
    ...(model && { model }),
    ...(format && { format }),
    ...(accelerator && { accelerator }),
    ...(faults && { fault_model: faults }),
    ...(scope && { scope }),
    ...(mitigation && { mitigation }),
    ...(rate && { rate }),
  };
}

async function printPoints(
  stored: StoredResults,
  filter: ResultFilter,
  json: boolean | undefined,
): Promise<void> {
  const rows = await stored.points(filter);
  const points = rows.map(({ point }) => point);
  const complete = rows.every((row) => row.complete);
  printResult(
    json,
    { configuration: stored.configuration, versions: stored.versions, complete, points },
    () =>
      points.length === 0
        ? 'no point matches'
        : [
            formatPoints(points),
            '',
            formatLegend(points),
            ...(complete ? [] : ['The study is not finished: --resume continues it.']),
          ].join('\n'),
  );
}

async function printTrials(
  stored: StoredResults,
  filter: ResultFilter,
  json: boolean | undefined,
): Promise<void> {
  const { columns, rows } = await stored.rows('trial', filter);
  const trials = rows.map((row) => Object.fromEntries(row.map((cell, at) => [columns[at], cell])));
  printResult(json, { trials }, () => formatCsv({ columns, rows }).trimEnd());
}
