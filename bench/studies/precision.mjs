import { faultyImageRuns, runCommand } from './command.mjs';

/** @import { WordFormat } from 'bitcell/models' */

/**
 * One study of each word format, every point to ±precision (in percentage points).
 * @param {{ model: string, formats: readonly WordFormat[], rates: Readonly<Record<WordFormat, string>>,
 *   precision: number, threads: number }} options
 */
export async function precisionStudies({ model, formats, rates, precision, threads }) {
  const studies = [];
  for (const format of formats) {
    const { seconds, points, trials } = await runCommand([
      ...['--model', model, '--format', format, '--rates', rates[format]],
      ...['--mitigations', 'none,clip', '--precision', `${precision}`, '--threads', `${threads}`],
    ]);
    studies.push({
      ...{ format, seconds, trials: trials.length },
      imageRuns: faultyImageRuns(trials),
      pilotImageRuns: faultyImageRuns(trials.filter(({ pilot }) => pilot)),
      points: points.map(({ rate, mitigation, maps, images, accuracy }) => ({
        ...{ rate, mitigation, maps, images, accuracy },
        halfWidthPoints: 50 * (accuracy.high - accuracy.low),
      })),
    });
  }
  return { precision, threads, studies };
}
