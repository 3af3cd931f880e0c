/** @import { Estimate } from './read-tables.mjs' */

/** What stands where a step has no table. */
export const NOT_RUN = 'This step was not run.';

/** @param {string} model */
export function modelTitle(model) {
  /** @type {Readonly<Record<string, string>>} */
  const titles = { alexnet: 'AlexNet', vgg16: 'VGG-16' };
  return titles[model] ?? model;
}

/**
 * A Markdown table.
 *
 * @param {readonly string[]} titles
 * @param {readonly (readonly string[])[]} rows
 */
export function table(titles, rows) {
  return [titles, titles.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** A share in percent. @param {number} share */
export function percent(share, digits = 1) {
  return (100 * share).toFixed(digits);
}

/** A share with its interval, in percent. @param {Estimate} share */
export function estimateText({ mean, low, high }, digits = 1) {
  return `${percent(mean, digits)} [${percent(low, digits)}, ${percent(high, digits)}]`;
}

/** A difference of shares with its interval, in percentage points with a sign. @param {Estimate} difference */
export function gainText({ mean, low, high }, digits = 1) {
  const signed = (/** @type {number} */ share) => {
    const text = percent(share, digits);
    return Number(text) > 0 ? `+${text}` : text.replace('-', '−');
  };
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
}

/** Seconds for people. @param {number} seconds */
export function timeText(seconds) {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** `a, b and c`. @param {readonly string[]} words */
export function listed(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/**
 * Distinct values in the order in which they first come.
 * @template T
 * @param {readonly T[]} values
 */
export function distinct(values) {
  return [...new Set(values)];
}
