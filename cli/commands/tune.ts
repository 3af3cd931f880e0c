import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import {
  DEFAULT_TUNING,
  type Judgement,
  judgeThresholds,
  parseTuning,
  prepareTuning,
  RACE_SIZES,
  runTuning,
  TUNING_METHODS,
  type Tuning,
} from '../../campaign/index.js';
import { InputError } from '../../core/index.js';
import {
  readThresholds,
  SEARCH_GRANULARITIES,
  type Thresholds,
  writeThresholds,
} from '../../mitigation/index.js';
import { interruptible, reportInterruption } from '../interruption.js';
import { choice, option, wholeNumber } from '../options.js';
import { printResult } from '../output.js';
import { showProgress, showStudyProgress } from '../progress.js';
import { addTuningOptions, type TuningFlags, tuningFields } from '../tuning-options.js';
import { tuningJson, tuningText } from '../tuning-table.js';
import { unfusedOf, warnOfUnfused } from '../unfused.js';

interface TuneFlags extends TuningFlags {
  readonly output: string;
  readonly rounds?: number;
  readonly judgeMaps?: number;
  readonly judgeImages?: number;
}

export function tuneCommand(): Command {
  const { 'interval-search': interval, race } = DEFAULT_TUNING;
  const { float32, int8 } = RACE_SIZES;
  const command = new Command('tune')
    .description(
      "Clip thresholds by a search under faults: FT-ClipAct's interval search, layer after layer, or races of thresholds over all layers",
    )
    .addOption(option('-o, --output <file>', 'thresholds to write').makeOptionMandatory())
    .addOption(choice('--method <method>', 'search', TUNING_METHODS).default(TUNING_METHODS[0]))
    .addOption(
      option(
        '--maps <n>',
        `fault maps a rate (default: ${interval.maps}); of a race the most (default: ${float32.maps}, int8 ${int8.maps})`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      option(
        '--images <n>',
        `training images a map (default: ${interval.images}; race of float32 words: ${float32.images})`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      option('--smallest-gain <d>', 'δ, a share of the area: a smaller gain is none')
        .default(interval.smallestGain)
        .argParser(gain),
    )
    .addOption(
      option(
        '--rounds <n>',
        `interval search: most rounds a layer (default: ${interval.mostRounds})`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      option(
        '--least-rounds <n>',
        `interval search: fewest rounds a layer (default: ${interval.leastRounds})`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      choice(
        '--granularity <kind>',
        `race: one threshold a layer, or a share of each channel's maximum (default: ${race.granularity})`,
        SEARCH_GRANULARITIES,
      ),
    )
    .addOption(
      option('--sweeps <n>', `race: times through the layers (default: ${race.sweeps})`).argParser(
        wholeNumber(0),
      ),
    )
    .addOption(
      option(
        '--least-maps <n>',
        `race: maps before the first look (default: ${float32.leastMaps}, int8 ${int8.leastMaps})`,
      ).argParser(wholeNumber(2)),
    )
    .addOption(
      option(
        '--judge-maps <n>',
        'fresh maps a rate that judge the result (default: --maps)',
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      option('--judge-images <n>', 'test images a fresh map (default: --images)').argParser(
        wholeNumber(1),
      ),
    )
    .action(tune);
  return addTuningOptions(command);
}

function gain(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError(`"${text}" is not a share of the area between 0 and 1.`);
  }
  return value;
}

async function tune(flags: TuneFlags & Record<string, unknown>): Promise<void> {
  const { output, rounds, thresholds, judgeMaps, judgeImages, data, threads } = flags;
  const { out, resume, json, quiet, ...fields } = flags;
  if (resume && out === undefined) throw new InputError('--resume needs --out FOLDER');
  const tuning = parseTuning(tuningFields({ ...fields, mostRounds: rounds }));
  const prepared = prepareTuning(tuning, thresholds, data);
  warnOfUnfused([prepared.data.network]);
  const kept = keptThresholds(output, prepared.data.network.checksum);
  const stopping = interruptible('maps');
  const { signal } = stopping;
  const progress = showProgress('scores of thresholds on maps', quiet ?? false);
  const started = performance.now();
  try {
    const result = await runTuning(prepared, {
      threads,
      out,
      resume,
      signal,
      onProgress: progress.listener,
    });
    progress.stop();
    if (!result) return reportInterruption(out);
    const seconds = (performance.now() - started) / 1000;
    const found = merge(kept, result.thresholds);
    writeThresholds(output, found);
    const size = {
      maps: judgeMaps ?? tuning.maps,
      images: judgeImages ?? tuning.images,
    };
    const judging = showStudyProgress(quiet ?? false);
    const options = { threads, signal, onProgress: judging.listener };
    const judged = await judgeThresholds(tuning, output, size, data, options);
    judging.stop();
    if (!judged) return reportInterruption(out);
    writeThresholds(output, withJudgement(found, tuning, judged));
    const shown = { tuning, output, result, judged, seconds };
    const unfused = unfusedOf(prepared.data.network);
    printResult(json, { ...tuningJson(shown), unfused }, () => tuningText(shown, threads));
  } finally {
    progress.stop();
    stopping.dispose();
  }
}

/**
 * Thresholds of the other word format, which stay in the file.
 *
 * @throws InputError when the file holds something else
 */
function keptThresholds(output: string, checksum: string): Thresholds | undefined {
  if (!existsSync(output)) return undefined;
  const found = readThresholds(output);
  if (found.network.checksum === checksum) return found;
  throw new InputError(
    `${output} holds thresholds of ${found.network.name}, another network: choose another file`,
  );
}

function merge(kept: Thresholds | undefined, found: Thresholds): Thresholds {
  return { ...kept, ...found, tuned: { ...kept?.tuned, ...found.tuned } };
}

function withJudgement(thresholds: Thresholds, { format }: Tuning, judged: Judgement): Thresholds {
  const tuned = thresholds.tuned?.[format];
  if (!tuned) throw new Error(`no tuned thresholds for ${format} words`);
  const found = { ...tuned.found, judged };
  return { ...thresholds, tuned: { ...thresholds.tuned, [format]: { ...tuned, found } } };
}
