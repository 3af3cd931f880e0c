import type { Judgement, SearchResult, TuneResult, Tuning } from '../../campaign/index.js';
import { rateText } from '../../core/index.js';
import { duration } from './progress.js';
import { counted } from './study/study-table.js';
import { formatTable, grouped, percent } from './table.js';

/** A search that ended, and what its thresholds are worth. */
export interface ShownTuning {
  readonly tuning: Tuning;
  /** The file that was written. */
  readonly output: string;
  readonly result: TuneResult;
  readonly judged: Judgement;
  readonly seconds: number;
}

export function tuningJson({ tuning, output, result, judged, seconds }: ShownTuning) {
  const { found, cost } = result;
  return {
    tuning,
    seed: tuning.seed,
    output,
    layers: layersJson(found),
    ...(found.method === 'race' && { common: found.common }),
    judged,
    cost,
    seconds,
  };
}

/** A threshold of a race is its factor times ACT_max: the layer's own, or the largest of its channels'. */
function layersJson(found: SearchResult): object[] {
  if (found.method === 'race') {
    return found.layers.map(({ name, actMax, factor, auc, races }) => ({
      name,
      actMax,
      factor,
      threshold: factor * actMax,
      auc,
      races,
    }));
  }
  return found.layers.map(({ name, actMax, threshold, auc, search }) => ({
    name,
    actMax,
    threshold,
    auc,
    rounds: search?.intervals.length ?? 0,
    scored: search?.scored ?? [],
  }));
}

export function tuningText(
  { tuning, output, result, judged, seconds }: ShownTuning,
  threads: number,
): string {
  const { model, format, rates, maps, images, faults, faulty, seed } = tuning;
  const { found, cost } = result;
  const { none, clip, 'clip-tuned': tuned } = judged.auc;
  const billions = (products: number) => (products / 1e9).toFixed(products < 1e11 ? 2 : 0);
  const share = percent(cost.products / cost.bruteForceProducts);
  const most = found.method === 'race' ? 'at most ' : '';
  return [
    `${model}, ${format} words, faults: ${faults} in the ${faulty.replace('-', ' ')}, rates ${rates.map(rateText).join(', ')}`,
    '',
    ...commonTable(found),
    layerTable(found),
    '',
    `Areas under accuracy against fault rate; ${most}${counted(maps, 'map')} a rate × ${counted(images, 'training image')}.`,
    `Judged on ${counted(judged.maps, 'fresh map')} a rate × ${counted(judged.images, 'test image')}: none ${percent(none)} %, clip at ACT_max ${percent(clip)} %, clip-tuned ${percent(tuned)} %.`,
    `${counted(cost.candidates, 'threshold')} scored by ${grouped(cost.imageRuns)} image runs: ${billions(cost.products)} billion multiply-accumulates, ${share} % of the ${billions(cost.bruteForceProducts)} billion of whole runs.`,
    `Seed ${seed}, ${counted(threads, 'thread')}, ${duration(seconds)}; written to ${output}.`,
  ].join('\n');
}

/** The factors that all layers were given together. */
function commonTable(found: SearchResult): string[] {
  if (found.method !== 'race') return [];
  const rows = found.common.map(({ factor, area, maps }) => [
    factor.toPrecision(2),
    percent(area),
    String(maps),
  ]);
  return [formatTable(['all layers', 'area, %', 'maps'], rows), ''];
}

function layerTable(found: SearchResult): string {
  if (found.method === 'race') {
    const rows = found.layers.map(({ name, actMax, factor, auc, races }) => [
      name,
      actMax.toPrecision(4),
      factor.toFixed(3),
      percent(auc.before),
      percent(auc.after),
      String(races),
    ]);
    return formatTable(['layer', 'ACT_max', 'factor', 'area at 1, %', 'after, %', 'races'], rows);
  }
  const rows = found.layers.map(({ name, actMax, threshold, auc, search }) => [
    name,
    actMax.toPrecision(4),
    threshold.toPrecision(4),
    percent(auc.before),
    percent(auc.after),
    String(search?.intervals.length ?? 0),
  ]);
  return formatTable(
    ['layer', 'ACT_max', 'threshold', 'area before, %', 'after, %', 'rounds'],
    rows,
  );
}
