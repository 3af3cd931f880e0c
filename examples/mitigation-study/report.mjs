/**
 * The page of the study from its decisions alone:
 *
 *   node examples/mitigation-study/report.mjs [--decisions examples/mitigation-study/decisions] [--docs docs]
 *
 * writes DOCS/mitigation-study.md from template.md and the charts to DOCS/mitigation-study/.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rateText, writeFileAtomic } from 'bitcell/core';
import { priceAndLoss, renderSvg } from 'bitcell/report';
import { distinct, listed, modelTitle, percent, table } from '../ft-clipact/markdown.mjs';
import { STUDIES } from './run.mjs';

/** @import { ConditionDecision } from 'bitcell/campaign' */

/** Data cells of the weight memories, which prices are shares of: `bitcell mitigations --json`, `dataCells`. */
/** @typedef {{ readonly dataCells: number, readonly decisions: readonly ConditionDecision[] }} Study */

/** @typedef {ConditionDecision['candidates'][number]} Candidate */

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * @param {string} decisions folder of what `bitcell cheapest --json` printed, a file a study
 * @param {string} target folder of the page
 */
export async function writeReport(decisions, target) {
  const studies = Object.fromEntries(STUDIES.map((name) => [name, readStudy(decisions, name)]));
  const folder = join(target, 'mitigation-study');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ['int8', 'float32']) {
    for (const kind of faultModels(studies[name])) {
      const rows = studies[name].decisions.filter(({ faultModel }) => faultModel === kind);
      const chart = priceAndLoss([...rows], `AlexNet, ${name} words: ${kind}`);
      writeFileAtomic(join(folder, `${name}-${kind}.svg`), await renderSvg(chart));
    }
  }
  const texts = {
    summary: summary([studies.int8, studies.float32]),
    int8: sections('int8', studies.int8),
    float32: sections('float32', studies.float32),
    'vgg16-float32': candidates(studies['vgg16-float32'], studies['vgg16-float32'].decisions),
    'vgg16-int8': candidates(studies['vgg16-int8'], studies['vgg16-int8'].decisions),
  };
  writeFileAtomic(join(target, 'mitigation-study.md'), filled(texts));
}

/** @param {string} folder @param {string} name @returns {Study} */
function readStudy(folder, name) {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
}

/** @param {Study} study */
function faultModels({ decisions }) {
  return distinct(decisions.map(({ faultModel }) => faultModel));
}

/** What was decided, a row a condition. @param {readonly Study[]} studies */
function summary(studies) {
  const rows = studies.flatMap(({ decisions, dataCells }) =>
    decisions.map((decision) => {
      const { format, faultModel, rate, verdict, mitigation, price, candidates, front } = decision;
      const named = mitigation === null ? '' : ` ${mitigation} (${shareText(price, dataCells)} %)`;
      const failed = candidates.filter((one) => one.verdict === 'failed');
      const onFront = front.filter(({ isOnFront }) => isOnFront);
      return [
        `${format}, ${faultModel}, ${rateText(rate)}`,
        `${candidates[0].maps}`,
        `${verdict}${named}`,
        namesOf(candidates.filter((one) => one.verdict === 'met')),
        namesOf(failed),
        namesOf(onFront),
      ];
    }),
  );
  return table(
    ['condition', 'maps', 'least storage within 2 points', 'met by', 'failed by', 'Pareto front'],
    rows,
  );
}

/** @param {readonly { readonly mitigation: string }[]} all */
function namesOf(all) {
  return all.length === 0 ? '–' : listed(all.map(({ mitigation }) => `\`${mitigation}\``));
}

/** A table and a chart for each kind of faults. @param {string} name @param {Study} study */
function sections(name, study) {
  return faultModels(study)
    .map((kind) => {
      const decisions = study.decisions.filter(({ faultModel }) => faultModel === kind);
      const picture = `![AlexNet, ${name} words, ${kind}](mitigation-study/${name}-${kind}.svg)`;
      return [`### ${titleOf(kind)}`, candidates(study, decisions), picture].join('\n\n');
    })
    .join('\n\n');
}

/** @param {string} kind */
function titleOf(kind) {
  return kind === 'flip' ? 'Cells that flip' : 'Cells that are stuck';
}

/** The candidates of some conditions side by side. @param {Study} study @param {readonly ConditionDecision[]} decisions */
function candidates({ dataCells }, decisions) {
  const [first] = decisions;
  const titles = decisions.map(
    ({ model, faultModel, rate }) => `${modelTitle(model)}, ${faultModel}, ${rateText(rate)}`,
  );
  const rows = first.candidates.map(({ mitigation, price }) => [
    `\`${mitigation}\``,
    shareText(price, dataCells),
    ...decisions.flatMap((decision) => {
      const one = decision.candidates.find((candidate) => candidate.mitigation === mitigation);
      return one ? [lossText(one), goodText(one)] : ['', ''];
    }),
  ]);
  const heads = ['mitigation', 'cells, %', ...titles.flatMap((title) => [title, 'good maps, %'])];
  const { maps, images } = first.candidates[0];
  return `${table(heads, rows)}\n\nLoss in points and share of good maps, each with the interval that all candidates of a condition have together; ${maps} maps × ${images} images.`;
}

/** @param {number | null} cells @param {number} dataCells */
function shareText(cells, dataCells) {
  if (cells === null) return 'not given';
  if (cells === 0) return '0';
  const share = (100 * cells) / dataCells;
  return share < 0.1 ? share.toPrecision(1) : share.toFixed(1);
}

/** @param {Candidate} candidate */
function lossText({ drop: { mean, low, high } }) {
  return `${points(mean)} [${points(low)}, ${points(high)}]`;
}

/** @param {Candidate} candidate */
function goodText({ verdict, images, yield: { share, low, high, imagesNeeded } }) {
  const tooFew = imagesNeeded !== undefined && imagesNeeded > images ? '*' : '';
  return `${percent(share, 0)}${tooFew} [${percent(low, 0)}, ${percent(high, 0)}] ${verdict}`;
}

/** @param {number} share */
function points(share) {
  const text = percent(share);
  return Number(text) === 0 ? '0.0' : text.replace('-', '−');
}

/** @param {Readonly<Record<string, string>>} texts */
function filled(texts) {
  return readFileSync(here('template.md'), 'utf8').replace(/\{\{([\w-]+)\}\}/g, (_, name) => {
    if (!Object.hasOwn(texts, name)) throw new Error(`template.md: {{${name}}} is no section`);
    return texts[name];
  });
}

if (argv[1] === here('report.mjs')) {
  const { values } = parseArgs({
    options: {
      decisions: { type: 'string', default: here('decisions') },
      docs: { type: 'string', default: here('../../docs') },
    },
  });
  await writeReport(values.decisions, values.docs);
}
