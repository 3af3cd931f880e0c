import { Command } from 'commander';
import { requireSafeOutputs, writeFileAtomic } from '../../../core/index.js';
import {
  type ComparedState,
  type ComparedStatistic,
  compareWithModel,
  dieLabelPattern,
  type FaultModelFit,
  faultMapFiles,
  fitFaultModel,
  formatFaultModel,
  MAP_STATISTICS,
  type MeasuredMap,
  ownDieLabel,
  readFaultMap,
} from '../../../fault/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  option,
  seedOption,
  wholeNumber,
} from '../../input/options.js';
import { tell } from '../../print/messages.js';
import { printResult } from '../../print/output.js';
import { formatTable, grouped } from '../../print/table.js';
import {
  addReadOptions,
  ofNamedStorage,
  type ReadFlags,
  readInputs,
  readOptionsOf,
} from './read-options.js';

interface FitFlags extends ReadFlags, CommonOptions {
  readonly output: string;
  readonly dieLabels?: string;
  readonly draws: number;
  readonly seed: number;
}

export function fitCommand(): Command {
  const command = new Command('fit')
    .description('Estimate a fault model from the measured maps of some chips and voltages')
    .argument('<maps...>', 'fault maps of any format; two 0/1 matrices as STUCK0,STUCK1')
    .addOption(option('-o, --output <file>', 'fault model to write (YAML)').makeOptionMandatory())
    .addOption(
      option(
        '--die-labels <pattern>',
        'labels in file names, such as {die}_{voltage}V.csv; without {die} all are of one (default: each file is a die; a drawn map knows its own)',
      ),
    )
    .addOption(
      option('--draws <n>', 'maps of the model that the measured ones are compared with')
        .default(40)
        .argParser(wholeNumber(2)),
    )
    .addOption(seedOption())
    .action(fit);
  return addCommonOptions(addReadOptions(command));
}

function fit(files: readonly string[], flags: FitFlags, command: Command): void {
  const { output, draws, seed } = flags;
  requireSafeOutputs(
    [['--output', output]],
    [...files.flatMap((file) => faultMapFiles(file)), ...readInputs(flags)],
  );
  const fitted = fitFaultModel(measuredMaps(files, flags, command));
  const { model, states, dies, warnings } = fitted;
  const compared = compareWithModel(fitted, { draws, seed });
  writeFileAtomic(output, formatFaultModel(model, commentsOf(fitted)));
  for (const warning of warnings) tell(`warning: ${warning}`);
  const result = {
    output,
    model,
    maps: files.length,
    dies,
    states: states.map(({ voltage, maps, faults, rate }) => ({
      voltage: voltage ?? null,
      maps: maps.map(({ file, die }) => ({ file, die })),
      faults,
      rate,
    })),
    draws,
    seed,
    statistics: compared,
    warnings,
  };
  printResult(flags.json, result, () =>
    [
      `${output}: ${summaryOf(fitted)}`,
      formatFaultModel(model).trimEnd(),
      '',
      `measured, and 5 % to 95 % of ${draws} drawn maps (seed ${seed}):`,
      ...compared.flatMap((state) => ['', ...stateLines(state)]),
    ].join('\n'),
  );
}

function measuredMaps(files: readonly string[], flags: FitFlags, command: Command): MeasuredMap[] {
  const options = readOptionsOf(flags, command);
  const labelOf = flags.dieLabels === undefined ? undefined : dieLabelPattern(flags.dieLabels);
  return files.map((file) => {
    const map = ofNamedStorage(readFaultMap(file, options), flags, file);
    return { file, map, ...(labelOf ? labelOf(file) : ownDieLabel(map, file)) };
  });
}

function summaryOf({ model, states, dies }: FaultModelFit): string {
  const maps = states.reduce((sum, state) => sum + state.maps.length, 0);
  const places = model.model === 'voltage' ? model.places.model : model.model;
  return `${places} faults, from ${grouped(maps)} ${maps === 1 ? 'map' : 'maps'} of ${grouped(dies)} ${dies === 1 ? 'die' : 'dies'}`;
}

/** What stands above the model in its file. */
function commentsOf(fitted: FaultModelFit): string[] {
  const { model, states, warnings } = fitted;
  return [
    `Fitted by bitcell map fit: ${summaryOf(fitted)}`,
    ...(model.model === 'voltage' ? [] : [`the rate of these maps: ${states[0].rate}`]),
    ...warnings,
  ];
}

function stateLines({ voltage, rate, statistics }: ComparedState): string[] {
  const rows = statistics
    .filter(({ measured }) => measured.length > 0)
    .map(({ name, measured, drawn }) => [
      MAP_STATISTICS[name],
      shown(measured),
      drawn ? `${figure(drawn.low)} to ${figure(drawn.high)}` : '-',
      drawn ? figure(drawn.median) : '-',
      isOutside({ name, measured, drawn }) ? 'no' : 'yes',
    ]);
  const state = voltage === undefined ? '' : `${voltage} V, `;
  return [
    `${state}rate ${rate.toExponential(2)}`,
    formatTable(['', 'measured', 'drawn', 'median', 'within'], rows),
  ];
}

/** The value of one map, or the least and the largest of several. */
function shown(values: readonly number[]): string {
  const ascending = values.toSorted((a, b) => a - b);
  const [least, largest] = [ascending[0], ascending[ascending.length - 1]];
  return least === largest ? figure(least) : `${figure(least)} to ${figure(largest)}`;
}

/** Whether the median of the measured maps is not among the drawn ones. */
function isOutside({ measured, drawn }: ComparedStatistic): boolean {
  if (drawn === undefined) return true;
  const median = measured.toSorted((a, b) => a - b)[Math.floor(measured.length / 2)];
  return median < drawn.low || median > drawn.high;
}

function figure(value: number): string {
  return Number.isInteger(value) ? grouped(value) : value.toPrecision(3);
}
