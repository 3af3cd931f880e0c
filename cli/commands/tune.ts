import { existsSync } from 'node:fs';
import { Command } from 'commander';
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
import { InputError, requireSafeOutputs } from '../../core/index.js';
import {
  readThresholds,
  SEARCH_GRANULARITIES,
  type Thresholds,
  writeThresholds,
} from '../../mitigation/index.js';
import { acceleratorFile } from '../../sim/index.js';
import { modelFile } from '../input/input-files.js';
import { choice, decimalWhere, option, wholeNumber } from '../input/options.js';
import { addTuningOptions, type TuningFlags, tuningFields } from '../input/tuning-options.js';
import { interruptible, reportRestart, resumable } from '../interruption.js';
import { printResult } from '../print/output.js';
import { showProgress, showStudyProgress } from '../print/progress.js';
import { tuningJson, tuningText } from '../print/tuning-table.js';
import { unfusedOf, warnOfUnfused } from '../print/unfused.js';

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
  return decimalWhere(
    text,
    (value) => value >= 0 && value <= 1,
    `"${text}" is not a share of the area between 0 and 1.`,
  );
}

async function tune(flags: TuneFlags & Record<string, unknown>): Promise<void> {
  const { output, rounds, thresholds, judgeMaps, judgeImages, data, threads } = flags;
  const { out, resume, json, quiet, ...fields } = flags;
  if (resume && out === undefined) throw new InputError('--resume needs --out FOLDER');
  const tuning = parseTuning(tuningFields({ ...fields, mostRounds: rounds }));
  // A thresholds file may be tuned in place: what it holds besides stays in it.
  requireSafeOutputs(
    [['--output', output]],
    [modelFile(tuning.model), acceleratorFile(tuning.accelerator)],
  );
  const prepared = prepareTuning(tuning, thresholds, data);
  const { checksum } = prepared.data.network;
  keptThresholds(output, checksum);
  warnOfUnfused([prepared.data.network]);
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
      onRestart: reportRestart,
      onProgress: progress.listener,
    });
    progress.stop();
    if (!result) return stopping.report(out);
    const seconds = (performance.now() - started) / 1000;
    writeFound(output, checksum, tuning, result.thresholds);
    const size = {
      maps: judgeMaps ?? tuning.maps,
      images: judgeImages ?? tuning.images,
    };
    const judging = showStudyProgress(quiet ?? false);
    const options = {
      threads,
      signal,
      onRestart: reportRestart,
      onProgress: judging.listener,
    };
    const judged = await judgeThresholds(tuning, output, size, data, options);
    judging.stop();
    if (!judged) return stopping.report(out);
    writeFound(output, checksum, tuning, withJudgement(result.thresholds, tuning, judged));
    const shown = { tuning, output, result, judged, seconds };
    const unfused = unfusedOf(prepared.data.network);
    printResult(json, { ...tuningJson(shown), unfused }, () => tuningText(shown, threads));
  } catch (error) {
    throw resumable(error, out);
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

/** Read again, because a search for the other word format may have written the file since this one began. */
function writeFound(output: string, checksum: string, { format }: Tuning, found: Thresholds): void {
  const kept = keptThresholds(output, checksum);
  const tuned = { ...found.tuned, ...kept?.tuned, [format]: found.tuned?.[format] };
  writeThresholds(output, { ...kept, ...found, tuned });
}

function withJudgement(thresholds: Thresholds, { format }: Tuning, judged: Judgement): Thresholds {
  const tuned = thresholds.tuned?.[format];
  if (!tuned) throw new Error(`no tuned thresholds for ${format} words`);
  const found = { ...tuned.found, judged };
  return { ...thresholds, tuned: { ...thresholds.tuned, [format]: { ...tuned, found } } };
}
