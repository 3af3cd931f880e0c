/**
 * Writes docs/storage-study.md from points.json (see run.mjs), by the rules of rules.md. From the root of a checkout:
 *
 *   node examples/storage-study/report.mjs
 */
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from 'bitcell/core';

/**
 * @typedef {object} Point
 * @property {string} model
 * @property {string} format
 * @property {string} storage
 * @property {string} mitigation
 * @property {number} rate
 * @property {number} maps
 * @property {{ mean: number, low: number, high: number }} accuracy
 * @property {{ mean: number, low: number, high: number }} [difference]
 * @property {{ injected: number }} faults
 */

const at = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

const percent = (/** @type {number} */ share) => (100 * share).toFixed(1);

const signed = (/** @type {number} */ share) =>
  `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`;

/** @param {Point | undefined} point */
function gainText(point) {
  if (!point?.difference) return '';
  const { mean, low, high } = point.difference;
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`;
}

/** @param {Point} point */
function verdictOf({ difference }) {
  if (!difference) return 'undecided';
  if (difference.low > 0) return 'helps';
  return difference.high < 0 ? 'harms' : 'undecided';
}

const OTHERS = ['clip', 'range-check', 'secded'];

/** @param {readonly Point[]} points of one network and word format */
function table(points) {
  const rows = points.filter(({ mitigation }) => mitigation === 'none');
  const head =
    '| storage | rate | faults a map | maps | none [95 %] | gain of clip | of range-check | of secded |';
  const lines = rows.map((none) => {
    const gains = OTHERS.map((name) =>
      gainText(
        points.find(
          (one) =>
            one.storage === none.storage && one.rate === none.rate && one.mitigation === name,
        ),
      ),
    );
    const { mean, low, high } = none.accuracy;
    const injected =
      none.faults.injected < 10
        ? none.faults.injected.toFixed(2)
        : Math.round(none.faults.injected).toLocaleString('en');
    return `| ${none.storage} | ${none.rate.toExponential().replace('e-', 'e−')} | ${injected} | ${none.maps} | ${percent(mean)} [${percent(low)}, ${percent(high)}] | ${gains.join(' | ')} |`;
  });
  return [head, '|---|---|---|---|---|---|---|---|', ...lines].join('\n');
}

/** @param {readonly Point[]} points */
function verdicts(points) {
  const clips = points.filter(({ mitigation }) => mitigation === 'clip');
  const list = (/** @type {string} */ verdict) =>
    clips
      .filter((point) => verdictOf(point) === verdict)
      .map(
        ({ model, storage, rate, difference }) =>
          `${model}, ${storage} at ${rate} (${difference ? signed(difference.mean) : ''})`,
      )
      .join('; ') || 'nowhere';
  return `Clipping helps: ${list('helps')}.\n\nClipping harms: ${list('harms')}.`;
}

function main() {
  /** @type {Record<string, Point[]>} */
  const studies = JSON.parse(readFileSync(at('points.json'), 'utf8'));
  const points = Object.values(studies).flat();
  const sections = ['alexnet', 'vgg16'].flatMap((model) =>
    ['int8', 'float32'].map((format) => {
      const own = points.filter((one) => one.model === model && one.format === format);
      const title = `### ${model}, ${format} words`;
      return own.length === 0 ? `${title}\n\nNot reached.` : `${title}\n\n${table(own)}`;
    }),
  );
  const template = readFileSync(at('template.md'), 'utf8');
  const ofFormat = (/** @type {string} */ format) =>
    verdicts(points.filter((one) => one.format === format));
  const text = template
    .replace('{{tables}}', sections.join('\n\n'))
    .replace('{{int8}}', ofFormat('int8'))
    .replace('{{float32}}', ofFormat('float32'));
  writeFileAtomic(at('../../docs/storage-study.md'), text);
}

if (argv[1] === fileURLToPath(import.meta.url)) main();
