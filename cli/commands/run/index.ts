import { Command, InvalidArgumentError } from 'commander';
import {
  dieVmins,
  type PreparedStudy,
  parseStudyFields,
  precisionOfPoints,
  preparedEnergies,
  preparedPrices,
  prepareStudy,
  readStudyFile,
  replayTrial,
  requireReadable,
  runStudy,
  STUDY_AXES,
  type Study,
  type StudyEnergies,
  type StudyPrices,
  type StudyResult,
  studyDies,
  studyInputOf,
  type Trial,
  vminEnergies,
  withPrecision,
  withPrices,
} from '../../../campaign/index.js';
import { InputError } from '../../../core/index.js';
import { kernelsInUse } from '../../../kernels/index.js';
import { resolveModel, ZOO } from '../../../models/index.js';
import { type InputFile, type Metric, metricOf, type Task } from '../../../workload/index.js';
import { axisOption } from '../../input/axis-options.js';
import { addKernels } from '../../input/kernels.js';
import { addMemoryLimit } from '../../input/memory-limit.js';
import {
  addCommonOptions,
  type CommonOptions,
  dataOption,
  imagesOrPilot,
  inputOption,
  list,
  option,
  percentagePoints,
  priceFigures,
  pricesOption,
  repeated,
  threadsOption,
  wholeNumber,
  withinOption,
  yieldOption,
} from '../../input/options.js';
import { addTaskOptions } from '../../input/task-options.js';
import { interruptible, reportRestart, resumable } from '../../interruption.js';
import { tell } from '../../print/messages.js';
import { printResult } from '../../print/output.js';
import { duration, showStudyProgress } from '../../print/progress.js';
import { printReplayedTrial, SHOWN_WEIGHTS } from '../../print/replayed-trial.js';
import { diesJson, formatDies } from '../../print/study/die-table.js';
import { metricJson, withMetric } from '../../print/study/metric.js';
import { formatStorages } from '../../print/study/storages-text.js';
import { printPlan } from '../../print/study/study-plan.js';
import {
  counted,
  formatLegend,
  formatPointNotes,
  formatPoints,
  formatPrecision,
  formatSampleSizes,
} from '../../print/study/study-table.js';
import { isTop1, taskText } from '../../print/study/task-text.js';
import { formatVmins } from '../../print/study/vmin-table.js';
import { grouped, percent } from '../../print/table.js';
import { unfusedOf, warnOfUnfused } from '../../print/unfused.js';
import { addDieOptions, type DieFlags, fieldsWithDies } from './die-options.js';

interface RunFlags extends CommonOptions, DieFlags {
  readonly threads: number;
  readonly data?: string;
  readonly input?: readonly InputFile[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly only?: TrialNumbers;
  readonly limit?: number;
  readonly prices?: string;
}

/** A trial as `--only` names it. */
type TrialNumbers = Pick<Trial, 'condition' | 'map'>;

export function runCommand(): Command {
  const command = new Command('run')
    .description(
      'Accuracy of networks under faults in their weight memory or other storages, with and without mitigations: every combination of the values of the lists (separated by commas)',
    )
    .argument('[study]', 'study file (YAML); options stand above it');
  const parsers = { files: repeated, mitigations: list };
  for (const axis of STUDY_AXES) command.addOption(axisOption(axis.option, parsers));
  addDieOptions(command)
    .addOption(option('--placement <kind>', 'resident or streamed (default: resident)'))
    .addOption(
      option('--thresholds <file>', 'clip thresholds of the model (default: the profile maxima)'),
    )
    .addOption(
      option(
        '--granularity <kind>',
        'what shares a threshold of clip and clamp: layer, channel or neuron (default: what the thresholds have)',
      ),
    )
    .addOption(
      option(
        '--clip-position <position>',
        'clip the accumulator, or (int8 words) what is requantised (default: accumulator)',
      ),
    )
    .addOption(option('--maps <n>', 'fault maps a point').argParser(wholeNumber(1)))
    .addOption(option('--image-choice <choice>', 'drawn for each map, or fixed (default: drawn)'))
    .addOption(
      option(
        '--images <n>',
        'test images a map, with --fault-maps the most of a die; pilot: chosen by a pilot of a few maps (default with --precision)',
      ).argParser(imagesOrPilot),
    )
    .addOption(
      option(
        '--precision <points>',
        'run each point until its accuracy is known to ± this many percentage points; with --fault-maps, each die until its change is, too',
      ).argParser(percentagePoints),
    )
    .addOption(withinOption('default: 2'))
    .addOption(yieldOption('share of the maps that have to be good (default: 0.9)'))
    .addOption(option('--seed <n>', 'seed of everything random').argParser(wholeNumber(0)))
    .addOption(dataOption())
    .addOption(inputOption());
  addTaskOptions(command)
    .addOption(threadsOption())
    .addOption(option('--out <folder>', 'save trials and results there'))
    .addOption(option('--resume', 'continue what the output folder holds, if anything'))
    .addOption(pricesOption())
    .addOption(option('--dry-run', 'print the plan, its size and an estimate of the time'))
    .addOption(
      option(
        '--only <condition:map>',
        'run one trial alone, and print what became of its images and which weights changed: number of the condition (see --dry-run) and of the fault map',
      ).argParser(trialNumbers),
    )
    .addOption(
      option(
        '--limit <n>',
        `with --only, list so many changed weights (default: ${SHOWN_WEIGHTS}; with --json all)`,
      ).argParser(wholeNumber(0)),
    )
    .action(run);
  return addCommonOptions(addMemoryLimit(addKernels(command)));
}

async function run(
  file: string | undefined,
  flags: RunFlags & Record<string, unknown>,
  command: Command,
): Promise<void> {
  const { threads, data, input, out, resume, dryRun, only, limit, prices, json, quiet, ...rest } =
    flags;
  const { memoryLimit: _memoryLimit, kernels: _kernels, ...options } = rest;
  const fields = fieldsWithDies(options, command);
  requireFitting(flags, command);
  if (resume && out === undefined) throw new InputError('--resume needs --out FOLDER');
  const figures = priceFigures(prices);
  if (data !== undefined && input !== undefined) {
    throw new InputError('give samples either by --data or by --input');
  }
  const study = file === undefined ? studyOf(fields) : readStudyFile(file, fields);
  if (resume && out !== undefined) await requireReadable(out);
  const prepared = prepareStudy(study, { folder: data, inputs: input });
  requireSamples(options.images, prepared);
  warnOfUnfused(prepared.data.networks.map(({ network }) => network));
  const dies = studyDies(prepared.data);
  for (const warning of dies?.warnings ?? []) tell(`warning: ${warning}`);
  if (dryRun) {
    printPlan(prepared, { dies, threads, json });
    return;
  }
  if (only) {
    await printReplayedTrial(replayTrial(prepared, only), study, { json, limit });
    return;
  }
  const progress = showStudyProgress(quiet ?? false);
  const stopping = interruptible('trials');
  const started = performance.now();
  try {
    const result = await runStudy(prepared, {
      threads,
      out,
      resume,
      signal: stopping.signal,
      onRepeat: quiet ? undefined : reportRepeat,
      onRestart: reportRestart,
      onProgress: progress.listener,
    });
    progress.stop();
    if (!result.complete) {
      stopping.report(out);
      return;
    }
    const seconds = (performance.now() - started) / 1000;
    const context = {
      metric: metricOf(prepared.data.workload),
      tasks: prepared.data.networks.map(({ task }) => task),
      ...{ prices: preparedPrices(prepared, figures), energies: preparedEnergies(prepared) },
      ...{ threads, seconds },
    };
    printResult(json, json ? toJson(result, prepared, context) : {}, () => toText(result, context));
  } catch (error) {
    throw resumable(error, out);
  } finally {
    progress.stop();
    stopping.dispose();
  }
}

/** A study of options alone: networks that have float32 words alone are studied with these, unless told otherwise. */
function studyOf(fields: Readonly<Record<string, unknown>>): Study {
  const study = parseStudyFields(fields);
  if (fields.formats !== undefined || fields.format !== undefined) return study;
  const hasFloats = study.models.some(
    (model) =>
      !(ZOO as readonly string[]).includes(model) && resolveModel(model).format === 'float32',
  );
  return hasFloats ? { ...study, formats: ['float32'] } : study;
}

/** @throws InputError when an option asks for more samples than there are to measure on */
function requireSamples(images: unknown, { data: { study, workload } }: PreparedStudy): void {
  if (typeof images !== 'number' || images === study.images) return;
  throw new InputError(
    `--images ${images}: there are ${workload.samples} samples of ${workload.name} to measure on`,
  );
}

/** Parse the numbers of a condition and a fault map. */
function trialNumbers(text: string): TrialNumbers {
  const [, condition, map] = /^(\d{1,9}):(\d{1,9})$/.exec(text) ?? [];
  if (map === undefined) {
    throw new InvalidArgumentError('Expected CONDITION:MAP, two whole numbers such as 2:17.');
  }
  return { condition: Number(condition), map: Number(map) };
}

/** @throws InputError when options stand beside others with which they mean nothing */
function requireFitting(
  { only, out, resume, dryRun, limit, prices, json }: RunFlags,
  command: Command,
): void {
  // In the environment it may be meant for `results`.
  const isPriced = json && !only && !dryRun;
  if (prices !== undefined && !isPriced && command.getOptionValueSource('prices') === 'cli') {
    throw new InputError('--prices is for the points that --json prints: give it with --json');
  }
  if (!only) {
    // In the environment it may be meant for `map hits`.
    if (limit !== undefined && command.getOptionValueSource('limit') === 'cli') {
      throw new InputError('--limit needs --only CONDITION:MAP');
    }
    return;
  }
  const others = { '--out': out !== undefined, '--resume': resume, '--dry-run': dryRun };
  for (const [name, given] of Object.entries(others)) {
    if (!given) continue;
    throw new InputError(
      `--only runs one trial, prints it and saves nothing: give it without ${name}`,
    );
  }
}

function reportRepeat(trials: readonly Trial[], by: 'code' | 'islands'): void {
  const what = by === 'code' ? 'The code' : 'What computes the islands of networks';
  process.stderr.write(
    `${what} has changed since these results were saved: running ${counted(trials.length, 'trial')} again to compare\n`,
  );
}

function faultNames({ faultMaps, dies, faults }: Study): string[] {
  if (dies) return [...dies.from];
  if (faultMaps) return [...faultMaps];
  return faults.map((model) => (typeof model === 'string' ? model : JSON.stringify(model)));
}

/** What a result is printed with. */
interface TextContext {
  readonly prices: StudyPrices;
  readonly energies: StudyEnergies;
  readonly metric: Metric;
  readonly tasks: readonly Task[];
  readonly threads: number;
  readonly seconds: number;
}

/** Cycles and energy stand at the top, too, when there is one network on one accelerator. */
function toJson(
  { study, networks, points, dies, sampleSizes }: StudyResult,
  { data }: PreparedStudy,
  { prices, energies, seconds }: Omit<TextContext, 'threads' | 'metric' | 'tasks'>,
) {
  const loadedOf = ({ model, format }: { model: string; format: string }) =>
    data.networks.filter((loaded) => loaded.model === model && loaded.network.format === format);
  const summaries = networks.map(({ timing, energy, ...network }) => ({
    ...network,
    unfused: loadedOf(network).flatMap((loaded) => unfusedOf(loaded.network)),
    task: loadedOf(network)[0].task,
    cycles: timing.total.totalCycles,
    energy: energy ?? null,
  }));
  const metric = metricOf(data.workload);
  const cycles = [...new Set(summaries.map((network) => network.cycles))];
  return {
    study: studyInputOf(study),
    seed: study.seed,
    networks: summaries,
    cycles: cycles.length === 1 ? cycles[0] : null,
    energy: summaries.length === 1 ? summaries[0].energy : null,
    ...metricJson(metric),
    points: withMetric(withPrices(withPrecision(points, precisionOfPoints(study)), prices), metric),
    ...(dies && {
      ...diesJson(
        dies.rows,
        study.within / 100,
        vminEnergies(dieVmins(dies.rows), energies, prices),
      ),
      warnings: dies.warnings,
    }),
    ...(sampleSizes.length > 0 && { sampleSizes }),
    kernels: kernelsInUse(),
    seconds,
  };
}

function toText(
  { study, networks, points, dies, sampleSizes }: StudyResult,
  { prices, energies, metric, tasks, threads, seconds }: TextContext,
): string {
  const cycles = new Map(
    networks.map(({ model, accelerator, timing: { total } }) => [
      `${model} on ${accelerator}`,
      `${grouped(total.totalCycles)} cycles an image, utilisation ${percent(total.utilization)} %`,
    ]),
  );
  return [
    `${formatStorages(study, networks)}, faults: ${faultNames(study).join(', ')}`,
    ...new Set(
      tasks.flatMap((task) =>
        isTop1(task) && metric === 'accuracy' ? [] : [`right: ${taskText(task, metric)}`],
      ),
    ),
    '',
    formatPoints(points, metric),
    '',
    formatLegend(points, metric, dies?.rows),
    ...formatPointNotes(points),
    ...(dies
      ? [
          '',
          ...formatDies(dies.rows, study.within / 100),
          ...formatVmins(vminEnergies(dieVmins(dies.rows), energies, prices)),
          '',
        ]
      : []),
    ...formatPrecision(points, precisionOfPoints(study)),
    ...formatSampleSizes(sampleSizes),
    ...[...cycles].map(([where, text]) => `${where}: ${text}.`),
    `Seed ${study.seed}, ${counted(threads, 'thread')}, ${duration(seconds)}.`,
  ].join('\n');
}
