import { Command } from 'commander';
import {
  parseStudy,
  prepareStudy,
  readStudyFile,
  runStudy,
  type StudyPoint,
  type StudyResult,
} from '../../campaign/index.js';
import { EXIT, InputError } from '../../core/index.js';
import { formatGeometry } from '../../fault/index.js';
import { memoryGeometry } from '../../sim/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  dataOption,
  list,
  option,
  rateList,
  threadsOption,
  wholeNumber,
} from '../options.js';
import { printResult } from '../output.js';
import { duration, showProgress } from '../progress.js';
import { formatTable, grouped, percent } from '../table.js';

interface RunFlags extends CommonOptions {
  readonly threads: number;
  readonly data?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
}

export function runCommand(): Command {
  const command = new Command('run')
    .description(
      'Accuracy of a network under faults in its weight memory, with and without mitigations',
    )
    .argument('[study]', 'study file (YAML); options stand above it')
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file (default: alexnet)'))
    .addOption(
      option('--format <formats>', 'word formats: int8, float32 (default: both)').argParser(list),
    )
    .addOption(option('--rates <rates>', 'fault rates, 0…1').argParser(rateList))
    .addOption(
      option('--faults <kind>', 'stuck-at-0, stuck-at-1, stuck-at or flip (default: flip)'),
    )
    .addOption(option('--fault-map <file>', 'one given fault map instead of drawn ones'))
    .addOption(option('--placement <kind>', 'resident or streamed (default: resident)'))
    .addOption(option('--accelerator <accelerator>', 'a preset or a file (default: edge-16x16)'))
    .addOption(
      option('--mitigations <list>', 'none, clip, clamp (default: none,clip)').argParser(list),
    )
    .addOption(option('--thresholds <file>', 'clip thresholds (default: the profile maxima)'))
    .addOption(option('--maps <n>', 'fault maps a point').argParser(wholeNumber(1)))
    .addOption(option('--images <n>', 'test images a map').argParser(wholeNumber(1)))
    .addOption(option('--seed <n>', 'seed of everything random').argParser(wholeNumber(0)))
    .addOption(dataOption())
    .addOption(threadsOption())
    .addOption(option('--out <folder>', 'save trials and results there'))
    .addOption(option('--resume', 'continue what the output folder holds'))
    .addOption(option('--dry-run', 'print the plan and stop'))
    .action(run);
  return addCommonOptions(command);
}

async function run(
  file: string | undefined,
  flags: RunFlags & Record<string, unknown>,
): Promise<void> {
  const { threads, data, out, resume, dryRun, json, quiet, format, ...options } = flags;
  if (resume && out === undefined) throw new InputError('--resume needs --out FOLDER');
  const fields = { ...options, ...(format !== undefined && { formats: format }) };
  const study = file === undefined ? parseStudy(fields) : readStudyFile(file, fields);
  const prepared = prepareStudy(study, data);
  if (dryRun) {
    const images = prepared.trials.reduce(
      (sum, trial) => sum + study.images * trial.mitigations.length,
      0,
    );
    printResult(
      json,
      { study, seed: study.seed, trials: prepared.trials.length, imageRuns: images },
      () =>
        `${JSON.stringify(study, null, 2)}\n${prepared.trials.length} trials, ${images} image runs`,
    );
    return;
  }
  const progress = showProgress('image runs', quiet ?? false);
  const stopping = interruptible();
  const started = performance.now();
  try {
    const result = await runStudy(prepared, {
      threads,
      out,
      resume,
      signal: stopping.signal,
      onProgress: progress.listener,
    });
    progress.stop();
    if (!result.complete) {
      process.stderr.write(
        out === undefined ? 'interrupted\n' : `interrupted: continue with --out ${out} --resume\n`,
      );
      process.exitCode = EXIT.interrupted;
      return;
    }
    const seconds = (performance.now() - started) / 1000;
    printResult(json, toJson(result, seconds), () => toText(result, threads, seconds));
  } finally {
    progress.stop();
    stopping.dispose();
  }
}

/** The first Ctrl-C lets running trials finish and be saved, the second ends the process. */
function interruptible(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nfinishing the running trials; Ctrl-C again stops at once\n');
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

function toJson({ study, checksum, memories, timing, points }: StudyResult, seconds: number) {
  return {
    study,
    seed: study.seed,
    checksum,
    memories,
    cycles: timing.total.totalCycles,
    energy: null,
    points,
    seconds,
  };
}

function toText(result: StudyResult, threads: number, seconds: number): string {
  const { study, points, memories, timing } = result;
  const rows = groupByRate(points).map((group) => [
    group[0].format,
    rateText(group[0].rate),
    grouped(group[0].faults.injected),
    grouped(group[0].faults.effective),
    ...group.map(({ accuracy }) => accuracyCell(accuracy)),
  ]);
  const head = ['words', 'fault rate', 'faults', 'effective', ...study.mitigations.map(title)];
  const sizes = Object.entries(memories).map(
    ([format, memory]) => `${format} ${formatGeometry(memoryGeometry(memory))}`,
  );
  return [
    `${study.model}, ${study.placement} weight memory (${sizes.join('; ')}), faults: ${study.faultMap ?? study.faults}`,
    '',
    formatTable(head, rows),
    '',
    `Accuracy in % with its 95 % interval: ${counted(study.maps, 'fault map')} × ${study.images} test images a row (faults: means per map).`,
    `${study.accelerator}: ${grouped(timing.total.totalCycles)} cycles an image, utilisation ${percent(timing.total.utilization)} %.`,
    `Seed ${study.seed}, ${counted(threads, 'thread')}, ${duration(seconds)}.`,
  ].join('\n');
}

/** A fault rate with at most three digits. */
function rateText(rate: number): string {
  return rate === 0 ? '0' : Number(rate.toPrecision(3)).toExponential();
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function title(mitigation: string): string {
  return `${mitigation} [95 %]`;
}

function accuracyCell({ mean, low, high }: StudyPoint['accuracy']): string {
  return `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
}

function groupByRate(points: readonly StudyPoint[]): StudyPoint[][] {
  const groups = new Map<string, StudyPoint[]>();
  for (const point of points) {
    const key = `${point.format} ${point.rate}`;
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()];
}
