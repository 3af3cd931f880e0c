import { faultyImageRuns, runCommand } from './command.mjs';

/**
 * One study of each word format, every point to ±precision.
 * @param {string} model
 * @param {Readonly<Record<'int8' | 'float32', string>>} rates
 * @param {number} precision in percentage points
 * @param {number} threads
 */
export async function precisionStudies(model, rates, precision, threads) {
  const studies = [];
  for (const format of /** @type {const} */ (['int8', 'float32'])) {
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
