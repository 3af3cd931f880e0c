/** What the benchmarks share: measurements, and results in which no figure is missing. */
import { cpus, loadavg } from 'node:os';

/**
 * Where a figure was measured; `load` is the machine's one-minute average at that time.
 * @typedef {{ readonly node: string, readonly processor: string, readonly load: number }} Machine
 */

/**
 * @typedef {object} Measurement
 * @property {string} name
 * @property {readonly number[]} samples in the order in which they were taken
 * @property {number} median
 * @property {string} unit
 * @property {Machine} machine
 */

/** @returns {Machine} */
export function machine() {
  return { node: process.version, processor: cpus()[0].model, load: loadavg()[0] };
}

/**
 * The upper median.
 * @param {readonly number[]} samples
 */
export function median(samples) {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1];
}

/**
 * @param {string} name
 * @param {string} unit
 * @param {readonly number[]} samples at least one
 * @returns {Measurement}
 * @throws {Error} when a sample is missing or not finite
 */
export function measurement(name, unit, samples) {
  if (samples.length === 0) throw new Error(`${name} was not measured`);
  return requireFigures({ name, samples, median: median(samples), unit, machine: machine() }, name);
}

/**
 * A result all of whose figures are there: JSON would print NaN and infinity as null, and nothing for undefined.
 * @template T
 * @param {T} result
 * @param {string} [place] how messages name it
 * @returns {T}
 * @throws {Error} naming the first figure that is not finite, or the value that is undefined
 */
export function requireFigures(result, place = 'result') {
  if (result === undefined || (typeof result === 'number' && !Number.isFinite(result))) {
    throw new Error(`${place} is ${result}, not a figure`);
  }
  if (typeof result === 'object' && result !== null) {
    for (const [key, value] of Object.entries(result)) requireFigures(value, `${place}.${key}`);
  }
  return result;
}

/**
 * Print a result as JSON.
 * @param {object} result
 * @throws {Error} as `requireFigures` does
 */
export function printJson(result) {
  process.stdout.write(`${JSON.stringify(requireFigures(result), null, 2)}\n`);
}

/**
 * Seconds that a function takes.
 * @param {() => unknown} work
 */
export async function timed(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
