/**
 * The page of the study from its tables alone:
 *
 *   node examples/ft-clipact/report.mjs [--tables examples/ft-clipact/tables] [--docs docs]
 *
 * writes DOCS/reproduction.md from template.md and the plots to DOCS/reproduction/.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from 'bitcell/core';
import { renderSvg } from 'bitcell/report';
import { planPlots } from './plots.mjs';
import { openTables } from './read-tables.mjs';
import * as sections from './sections.mjs';
import { planSteps } from './steps.mjs';

/** @import { Plot } from './plots.mjs' */
/** @import { Tables } from './read-tables.mjs' */

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * @param {string} tablesFolder
 * @param {string} target folder of the page
 */
export async function writeReport(tablesFolder, target) {
  const tables = openTables(tablesFolder);
  const plots = planPlots(tables);
  const folder = join(target, 'reproduction');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, chart } of plots) {
    writeFileAtomic(join(folder, `${name}.vl.json`), `${JSON.stringify(chart)}\n`);
    writeFileAtomic(join(folder, `${name}.svg`), await renderSvg(chart));
  }
  writeFileAtomic(join(target, 'reproduction.md'), fillTemplate(textsOf(tables), plots));
}

/** The generated part of each section. @param {Tables} tables @returns {Readonly<Record<string, string>>} */
function textsOf(tables) {
  return {
    headline: sections.headline(tables),
    areas: sections.areas(tables),
    int8: sections.int8Words(tables),
    resilience: sections.resilience(tables),
    layers: sections.scopes(tables, 'layers'),
    bits: sections.scopes(tables, 'bits'),
    distributions: sections.distributions(tables),
    sweep: sections.sweep(tables),
    mitigations: sections.mitigations(tables),
    spread: sections.spread(tables),
    variants: sections.variants(tables, planSteps(false)),
    commands: sections.commands(tables),
  };
}

/**
 * Put texts, and the plots of their sections behind them, in the places that the template names.
 *
 * @param {Readonly<Record<string, string>>} texts
 * @param {readonly Plot[]} plots
 */
function fillTemplate(texts, plots) {
  const template = readFileSync(here('template.md'), 'utf8');
  return template.replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (!Object.hasOwn(texts, name)) throw new Error(`template.md: {{${name}}} is no section`);
    const images = plots
      .filter(({ section }) => section === name)
      .map((plot) => `![${plot.title}](reproduction/${plot.name}.svg)`);
    return [texts[name], ...images].join('\n\n');
  });
}

if (argv[1] === here('report.mjs')) {
  const { values } = parseArgs({
    options: {
      tables: { type: 'string', default: here('tables') },
      docs: { type: 'string', default: here('../../docs') },
    },
  });
  await writeReport(values.tables, values.docs);
}
