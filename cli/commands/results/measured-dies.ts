import {
  type DieRow,
  dieVerdict,
  dieVmins,
  type ResultFilter,
  type StoredResults,
  type StudyPrices,
  savedEnergiesOrReasons,
  savedRequirement,
  vminEnergies,
} from '../../../campaign/index.js';
import { InputError, writeFileAtomic } from '../../../core/index.js';
import { printResult, printText } from '../../print/output.js';
import { vminCsv } from '../../print/study/vmin-table.js';

/**
 * What a good die or map may lose, a fraction.
 *
 * @param within percentage points; undefined: what the study says
 */
export function requiredWithin(
  { configuration }: StoredResults,
  within: number | undefined,
): number {
  return (within ?? savedRequirement(configuration).within) / 100;
}

/** The dies of a study with their verdicts on what is required now. */
export function diesWithin(
  stored: StoredResults,
  filter: ResultFilter,
  within: number | undefined,
): DieRow[] {
  const share = requiredWithin(stored, within);
  return stored.dies(filter).map((die) => ({ ...die, verdict: dieVerdict(die.difference, share) }));
}

/**
 * Draw the dies into the files that the options name.
 *
 * @throws InputError when there are no dies, or none at a place on a wafer
 */
export async function drawDies(
  dies: readonly DieRow[],
  { svg, waferSvg }: { readonly svg?: string; readonly waferSvg?: string },
): Promise<void> {
  if (svg === undefined && waferSvg === undefined) return;
  const flag = svg === undefined ? '--wafer-svg' : '--svg';
  if (dies.length === 0) {
    throw new InputError(`${flag} draws measured dies, and no die of this study matches`);
  }
  if (waferSvg !== undefined && dies.every(({ x, y }) => x === null || y === null)) {
    throw new InputError(
      '--wafer-svg: no die has a place; name x and y in columns of the table, or in the names of the files (--die-labels), or draw --svg',
    );
  }
  // Loaded here because charts take longer to load than tables to print.
  const { dieGrid, renderSvg, waferMap } = await import('../../../report/index.js');
  const title = 'Verdicts on dies';
  if (svg !== undefined) writeFileAtomic(svg, await renderSvg(dieGrid(dies, title)));
  if (waferSvg !== undefined) writeFileAtomic(waferSvg, await renderSvg(waferMap(dies, title)));
}

/** Print the lowest voltage of each die under each mitigation, as rows. */
export function printVmins(
  dies: readonly DieRow[],
  {
    stored,
    prices,
    csv,
    json,
  }: {
    readonly stored: StoredResults;
    readonly prices: StudyPrices;
    readonly csv: boolean | undefined;
    readonly json: boolean | undefined;
  },
): void {
  const { vmin } = vminEnergies(dieVmins(dies), savedEnergiesOrReasons(stored), prices);
  if (csv) printText(vminCsv(vmin));
  else printResult(json, { vmins: vmin }, () => vminCsv(vmin).trimEnd());
}
