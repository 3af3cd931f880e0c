import { Presets, SingleBar } from 'cli-progress';
import type { StudyProgress } from '../../campaign/index.js';
import { type ProgressListener, rateText } from '../../core/index.js';
import { accuracyText } from './study/study-table.js';

const PLAIN_INTERVAL_MS = 5000;

/** Progress on stderr until `stop` is called: a bar on a terminal, a plain line every few seconds otherwise. */
export interface ProgressDisplay {
  readonly listener: ProgressListener;
  stop(): void;
}

/**
 * @param what what is counted, in the plural
 * @param quiet show nothing
 */
export function showProgress(what: string, quiet: boolean): ProgressDisplay {
  if (quiet) return { listener: () => {}, stop: () => {} };
  return process.stderr.isTTY ? bar(what) : plainLines(what);
}

function bar(what: string): ProgressDisplay {
  const display = new SingleBar(
    {
      stream: process.stderr,
      format: `{bar} {percentage} % | {value} of {total} ${what} | {speed} a second | {left} left`,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  const started = performance.now();
  return {
    listener(done, total) {
      const { speed, left } = estimate(done, total, started);
      if (!display.isActive) display.start(total, done, { speed, left });
      display.update(done, { speed, left });
    },
    stop: () => display.stop(),
  };
}

function plainLines(what: string): ProgressDisplay {
  const started = performance.now();
  let shown = started;
  return {
    listener(done, total) {
      const now = performance.now();
      if (now - shown < PLAIN_INTERVAL_MS && done < total) return;
      shown = now;
      const { speed, left } = estimate(done, total, started);
      process.stderr.write(`${done} of ${total} ${what}, ${speed} a second, ${left} left\n`);
    },
    stop: () => {},
  };
}

/** Progress of a study on stderr until `stop` is called, in the same form. */
export interface StudyProgressDisplay {
  readonly listener: (progress: StudyProgress) => void;
  stop(): void;
}

/** @param quiet show nothing */
export function showStudyProgress(quiet: boolean): StudyProgressDisplay {
  if (quiet) return { listener: () => {}, stop: () => {} };
  return process.stderr.isTTY ? studyBar() : studyLines();
}

function studyBar(): StudyProgressDisplay {
  const display = new SingleBar(
    {
      stream: process.stderr,
      format: '{bar} {percentage} % | {value} of {total} trials{rest}',
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  const started = performance.now();
  return {
    listener(progress) {
      const { done, expected } = progress.trials;
      const rest = studyText(progress, started);
      if (!display.isActive) display.start(expected, done, { rest });
      display.setTotal(expected);
      display.update(done, { rest });
    },
    stop: () => display.stop(),
  };
}

function studyLines(): StudyProgressDisplay {
  const started = performance.now();
  let shown = started;
  return {
    listener(progress) {
      const { done, expected } = progress.trials;
      const now = performance.now();
      if (now - shown < PLAIN_INTERVAL_MS && done < expected) return;
      shown = now;
      process.stderr.write(`${done} of ${expected} trials${studyText(progress, started)}\n`);
    },
    stop: () => {},
  };
}

/** Points, the newest interval, trials a second and the time left. */
function studyText({ points, trials, current }: StudyProgress, started: number): string {
  const { speed, left } = estimate(
    trials.done - trials.before,
    trials.expected - trials.before,
    started,
  );
  const parts = [
    `${points.done} of ${points.total} points`,
    ...(current
      ? [
          `${current.format} ${rateText(current.rate)} ${current.mitigation} ${accuracyText(current)} %`,
        ]
      : []),
    `${speed} a second`,
    `${left} left`,
  ];
  return parts.map((part) => ` | ${part}`).join('');
}

function estimate(done: number, total: number, started: number): { speed: string; left: string } {
  const seconds = (performance.now() - started) / 1000;
  const speed = done / seconds;
  return {
    speed: speed < 10 ? speed.toFixed(1) : speed.toFixed(0),
    left: done === 0 ? 'unknown time' : duration((total - done) / speed),
  };
}

/** A duration for people: seconds below two minutes, then minutes, then hours. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
