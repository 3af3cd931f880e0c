import { Command } from 'commander';
import {
  type ConditionDecision,
  continueCommand,
  findCheapest,
  openResults,
  POINT_COLUMNS,
  PRICE_UNITS,
  type PriceUnit,
  type ResultFilter,
  requireReadable,
  type StoredResults,
  savedPrices,
  storeFiles,
  type UnfinishedPoint,
} from '../../../campaign/index.js';
import { EXIT, InputError, requireSafeOutputs, writeFileAtomic } from '../../../core/index.js';
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
import { printResult } from '../../print/output.js';
import { formatRemainder } from '../../print/study/study-table.js';
import { candidateRows } from './candidate-rows.js';
import { formatDecision } from './decision-text.js';

interface CheapestFlags extends CommonOptions {
  readonly price: PriceUnit;
  readonly prices?: string;
  readonly csv?: string;
  readonly svg?: string;
  readonly within?: number;
  readonly yield?: number;
  readonly rate?: readonly number[];
  readonly voltage?: readonly number[];
}

const FILTERS = POINT_COLUMNS.filter(({ field }) => field === 'rate' || field === 'voltage');

const CHART_TITLE = 'What mitigations take and what is lost with them';

const EXIT_OF = { met: EXIT.ok, none: EXIT.requirement, undecided: EXIT.undecided } as const;

export function cheapestCommand(): Command {
  const command = new Command('cheapest')
    .description(
      'The mitigation with the least price that meets a requirement, for each condition of a study saved with --out',
    )
    .argument('<folder>', 'output folder of the study');
  for (const { filter } of FILTERS) {
    command.addOption(axisOption(filter, { files: list, mitigations: list }));
  }
  command
    .addOption(withinOption('default: what the study says'))
    .addOption(yieldOption('share of the maps that have to be good (default: what the study says)'))
    .addOption(
      choice(
        '--price <unit>',
        'memory cells beside the data, joules an image, or 2-input XOR gates',
        PRICE_UNITS,
      ).default('cells'),
    )
    .addOption(pricesOption())
    .addOption(
      option('--csv <file>', 'write all candidates, and which are on the Pareto front, as CSV'),
    )
    .addOption(option('--svg <file>', 'draw price and mean loss, a panel a condition, as SVG'))
    .action(cheapest);
  addCommonOptions(command);
  return command.addHelpText(
    'after',
    '\nExit status: 0 where every condition has one that meets it; 5 where none does in one; 6 where one is undecided.',
  );
}

async function cheapest(folder: string, flags: CheapestFlags): Promise<void> {
  const { json, within, yield: share, price: priceUnit, prices, rate, voltage } = flags;
  const figures = priceFigures(prices);
  requireSafeOutputs(
    [
      ['--csv', flags.csv],
      ['--svg', flags.svg],
    ],
    [prices, ...storeFiles(folder)],
  );
  await requireReadable(folder);
  const stored = await openResults(folder);
  try {
    const filter = { ...(rate && { rate }), ...(voltage && { voltage }) };
    const decisions = await findCheapest(stored, filter, {
      within,
      yield: share,
      priceUnit,
      prices: savedPrices(stored, figures),
    });
    const missing = stored.remainder.missing.filter((point) => isWanted(point, filter));
    if (decisions.length === 0 && missing.length === 0) {
      throw new InputError(`${folder}: no condition of the study has this rate or voltage`);
    }
    await writeFiles(decisions, flags);
    printDecisions(folder, stored, { decisions, missing, json });
    process.exitCode = Math.max(
      ...decisions.map(({ verdict }) => EXIT_OF[verdict]),
      // Of a condition without a map nothing is known.
      missing.some(({ maps }) => maps.saved === 0) ? EXIT.undecided : EXIT.ok,
    );
  } finally {
    stored.close();
  }
}

async function writeFiles(
  decisions: readonly ConditionDecision[],
  { csv, svg }: CheapestFlags,
): Promise<void> {
  if (csv !== undefined) writeFileAtomic(csv, formatCsv(candidateRows(decisions)));
  if (svg === undefined) return;
  // Loaded here because charts take longer to load than decisions to make.
  const { priceAndLoss, renderSvg } = await import('../../../report/index.js');
  writeFileAtomic(svg, await renderSvg(priceAndLoss(decisions, CHART_TITLE)));
}

function isWanted(point: UnfinishedPoint, { rate, voltage }: ResultFilter): boolean {
  const isOne = (wanted: readonly unknown[] | undefined, value: number | undefined) =>
    !wanted || (value !== undefined && wanted.includes(value));
  return isOne(rate, point.rate) && isOne(voltage, point.voltage);
}

/** The fields of a decision stand at the top, too, when there is one. */
function printDecisions(
  folder: string,
  { configuration, remainder }: StoredResults,
  {
    decisions,
    missing,
    json,
  }: {
    readonly decisions: readonly ConditionDecision[];
    readonly missing: readonly UnfinishedPoint[];
    readonly json: boolean | undefined;
  },
): void {
  const complete = missing.length === 0;
  const command = continueCommand(configuration, folder);
  const precision =
    typeof configuration.precision === 'number' ? configuration.precision : undefined;
  printResult(
    json,
    {
      ...(decisions.length === 1 && decisions[0]),
      complete,
      ...(!complete && { missing, continue: command }),
      decisions,
    },
    () =>
      [
        ...decisions.map(formatDecision),
        ...(complete ? [] : [formatRemainder({ ...remainder, missing }, precision, command)]),
      ].join('\n\n'),
  );
}
