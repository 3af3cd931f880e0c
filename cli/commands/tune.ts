import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import {
  DEFAULT_TUNING,
  FAULTY,
  type Judgement,
  judgeThresholds,
  parseTuning,
  prepareTuning,
  runTuning,
  TUNING_METHODS,
  type Tuning,
} from '../../campaign/index.js';
import { EXIT, InputError } from '../../core/index.js';
import {
  readThresholds,
  SEARCH_GRANULARITIES,
  type Thresholds,
  writeThresholds,
} from '../../mitigation/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  dataOption,
  option,
  rateList,
  seedOption,
  threadsOption,
  wholeNumber,
} from '../options.js';
import { printResult } from '../output.js';
import { showProgress, showStudyProgress } from '../progress.js';
import { tuningJson, tuningText } from '../tuning-table.js';

interface TuneFlags extends CommonOptions {
  readonly output: string;
  readonly rounds?: number;
  readonly thresholds?: string;
  readonly judgeMaps?: number;
  readonly judgeImages?: number;
  readonly data?: string;
  readonly threads: number;
  readonly out?: string;
  readonly resume?: boolean;
}

export function tuneCommand(): Command {
  const { 'interval-search': interval, race } = DEFAULT_TUNING;
  const { model, format, faults, faulty, placement, accelerator, images, smallestGain } = interval;
  const command = new Command('tune')
    .description(
      "Clip thresholds by a search under faults: FT-ClipAct's interval search, layer after layer, or races of thresholds over all layers",
    )
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default(model))
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default(format))
    .addOption(option('-o, --output <file>', 'thresholds to write').makeOptionMandatory())
    .addOption(choice('--method <method>', 'search', TUNING_METHODS).default(TUNING_METHODS[0]))
    .addOption(
      option('--rates <rates>', 'fault rates, above 0 (default: by word format)').argParser(
        rateList,
      ),
    )
    .addOption(
      option('--faults <kind>', 'stuck-at-0, stuck-at-1, stuck-at or flip').default(faults),
    )
    .addOption(
      choice(
        '--faulty <weights>',
        'which weights are faulty while a layer is tuned',
        FAULTY,
      ).default(faulty),
    )
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        placement,
      ),
    )
    .addOption(option('--accelerator <accelerator>', 'a preset or a file').default(accelerator))
    .addOption(
      option(
        '--maps <n>',
        `fault maps a rate (default: ${interval.maps}); of a race the most (default: ${race.maps})`,
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      option('--images <n>', 'training images a map').default(images).argParser(wholeNumber(1)),
    )
    .addOption(
      option('--smallest-gain <d>', 'δ, a share of the area: a smaller gain is none')
        .default(smallestGain)
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
        `race: maps before the first look (default: ${race.leastMaps})`,
      ).argParser(wholeNumber(2)),
    )
    .addOption(seedOption())
    .addOption(
      option('--thresholds <file>', 'profile to begin with (default: the zoo, or made now)'),
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
    .addOption(dataOption())
    .addOption(threadsOption())
    .addOption(option('--out <folder>', 'keep there what the search has found out so far'))
    .addOption(option('--resume', 'continue what the folder holds, if anything'))
    .action(tune);
  return addCommonOptions(command);
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
  const tuning = parseTuning(pickTuning({ ...fields, mostRounds: rounds }));
  const prepared = prepareTuning(tuning, thresholds, data);
  const kept = keptThresholds(output, prepared.data.network.checksum);
  const stopping = interruptible();
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
    if (!result) return interrupted(out);
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
    if (!judged) return interrupted(out);
    writeThresholds(output, withJudgement(found, tuning, judged));
    const shown = { tuning, output, result, judged, seconds };
    printResult(json, tuningJson(shown), () => tuningText(shown, threads));
  } finally {
    progress.stop();
    stopping.dispose();
  }
}

/** The options that are fields of a tuning. */
function pickTuning(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = new Set([...Object.values(DEFAULT_TUNING).flatMap(Object.keys), 'rates']);
  return Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => names.has(name) && value !== undefined),
  );
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

/** The first Ctrl-C lets running maps finish and be saved, the second ends the process. */
function interruptible(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nfinishing the running maps; Ctrl-C again stops at once\n');
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onInterrupt);
    },
  };
}

function interrupted(out: string | undefined): void {
  process.stderr.write(
    out === undefined ? 'interrupted\n' : `interrupted: continue with --out ${out} --resume\n`,
  );
  process.exitCode = EXIT.interrupted;
}
