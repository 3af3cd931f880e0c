import { Command } from 'commander';
import {
  DEFAULT_TUNING,
  type LayerSweep,
  parseTuning,
  prepareTuning,
  runSweep,
} from '../../campaign/index.js';
import { InputError, rateText } from '../../core/index.js';
import { option, wholeNumber } from '../input/options.js';
import { addTuningOptions, type TuningFlags, tuningFields } from '../input/tuning-options.js';
import { interruptible, reportRestart, resumable } from '../interruption.js';
import { printResult } from '../print/output.js';
import { duration, showProgress } from '../print/progress.js';
import { counted } from '../print/study/study-table.js';
import { formatTable, percent } from '../print/table.js';
import { unfusedOf, warnOfUnfused } from '../print/unfused.js';

export function sweepCommand(): Command {
  const { maps, images, points } = DEFAULT_TUNING.sweep;
  const command = new Command('sweep')
    .description(
      'What clip thresholds of each layer are worth: the area under accuracy against fault rate, all other layers at the largest activations of the profile',
    )
    .addOption(
      option('--points <n>', 'equally spaced thresholds of each layer, up to ACT_max')
        .default(points)
        .argParser(wholeNumber(1)),
    )
    .addOption(option('--maps <n>', 'fault maps a rate').default(maps).argParser(wholeNumber(1)))
    .addOption(
      option('--images <n>', 'training images a map').default(images).argParser(wholeNumber(1)),
    )
    .action(sweep);
  return addTuningOptions(command);
}

async function sweep(flags: TuningFlags & Record<string, unknown>): Promise<void> {
  const { thresholds, data, threads, out, resume, json, quiet, ...fields } = flags;
  if (resume && out === undefined) throw new InputError('--resume needs --out FOLDER');
  const tuning = parseTuning({ ...tuningFields(fields), method: 'sweep' });
  const prepared = prepareTuning(tuning, thresholds, data);
  warnOfUnfused([prepared.data.network]);
  const stopping = interruptible('maps');
  const progress = showProgress('scores of thresholds on maps', quiet ?? false);
  const started = performance.now();
  try {
    const result = await runSweep(prepared, {
      threads,
      out,
      resume,
      signal: stopping.signal,
      onRestart: reportRestart,
      onProgress: progress.listener,
    });
    progress.stop();
    if (!result) return stopping.report(out);
    const seconds = (performance.now() - started) / 1000;
    const unfused = unfusedOf(prepared.data.network);
    const { seed, model, format, rates, maps, images } = tuning;
    printResult(json, { tuning, seed, rates, ...result, unfused, seconds }, () =>
      [
        `${model}, ${format} words, faults: ${tuning.faults} in the ${tuning.faulty.replace('-', ' ')}, rates ${rates.map(rateText).join(', ')}`,
        '',
        ...result.layers.flatMap((layer) => [layerTable(layer), '']),
        `Areas under accuracy against fault rate; ${counted(maps, 'map')} a rate × ${counted(images, 'training image')}.`,
        `Seed ${seed}, ${counted(threads, 'thread')}, ${duration(seconds)}.`,
      ].join('\n'),
    );
  } catch (error) {
    throw resumable(error, out);
  } finally {
    progress.stop();
    stopping.dispose();
  }
}

function layerTable({ name, points }: LayerSweep): string {
  const rows = points.map(({ threshold, area }) => [threshold.toPrecision(4), percent(area)]);
  return formatTable([name, 'area, %'], rows);
}
