import {
  type ChangedWeight,
  type Condition,
  pointKey,
  type ReplayedTrial,
  type Study,
  storagesOf,
  studyInputOf,
} from '../../campaign/index.js';
import { visibleLines } from '../../core/index.js';
import { memoryPartsOf, NO_MITIGATION } from '../../mitigation/index.js';
import { WORD_BITS } from '../../models/index.js';
import { STORAGE_TITLES } from '../../sim/index.js';
import { printParts, resultParts } from './output.js';
import { conditionText, counted } from './study/study-table.js';
import { formatTable, grouped } from './table.js';

/** Changed weights that text lists, unless the user says otherwise. */
export const SHOWN_WEIGHTS = 20;

/** Print a trial that was run again: what became of its images under each mitigation, and the weights that changed. */
export async function printReplayedTrial(
  replayed: ReplayedTrial,
  study: Study,
  { json, limit }: { readonly json: boolean | undefined; readonly limit: number | undefined },
): Promise<void> {
  if (json) {
    const weights = rowsOf(replayed, limit ?? Number.POSITIVE_INFINITY);
    const { changedWeights } = replayed;
    await printParts(resultParts(headOf(replayed, study), { weights }, () => ({ changedWeights })));
  } else {
    await printParts([visibleLines(`${toText(replayed, study, limit ?? SHOWN_WEIGHTS)}\n`)]);
  }
}

function headOf({ condition, result }: ReplayedTrial, study: Study): object {
  const { trial, requested, injected, cleanCorrect, outcomes } = result;
  const { mitigation: _, ...key } = pointKey(condition, NO_MITIGATION.name);
  return {
    study: studyInputOf(study),
    seed: study.seed,
    condition: { condition: condition.index, ...key },
    ...{ map: trial.map, images: trial.images },
    ...{ requested, injected, cleanCorrect },
    outcomes: outcomes.map(({ seconds: _, fixed, ...outcome }) => ({
      ...outcome,
      ...(fixed && { correctImages: fixed.correct, sdcImages: fixed.sdc }),
    })),
  };
}

/** A changed weight with its words in hexadecimal. */
interface WeightRow extends Omit<ChangedWeight, 'storedWord' | 'faultyWord'> {
  readonly storedWord: string;
  readonly faultyWord: string;
}

/** The first `limit` changed weights. */
function* rowsOf(replayed: ReplayedTrial, limit: number): Generator<WeightRow, void, undefined> {
  const digits = WORD_BITS[replayed.condition.format] / 4;
  const wordText = (word: number) => `0x${word.toString(16).padStart(digits, '0')}`;
  let listed = 0;
  for (const change of replayed.listChangedWeights()) {
    if (listed === limit) return;
    listed += 1;
    const { storedWord, faultyWord, ...rest } = change;
    yield { ...rest, storedWord: wordText(storedWord), faultyWord: wordText(faultyWord) };
  }
}

function toText(replayed: ReplayedTrial, study: Study, limit: number): string {
  const { condition, result, changedWeights } = replayed;
  const { trial, requested, injected, cleanCorrect, outcomes } = result;
  const listed = [...rowsOf(replayed, limit)];
  const more = changedWeights - listed.length;
  const isIntermittent =
    condition.source.kind === 'model' && condition.source.model.activeProbability !== undefined;
  return [
    `Condition ${condition.index}: ${conditionText(pointKey(condition, NO_MITIGATION.name))}; map ${trial.map}, ${counted(trial.images, 'image')}, seed ${study.seed}`,
    `${grouped(injected)} faulty data cells (asked for: ${Number(requested.toFixed(3))})`,
    `${cleanCorrect} of ${trial.images} images are right without faults and mitigation`,
    '',
    formatTable(
      ['mitigation', 'right', 'changed', 'not finite', 'effective', 'from layer'],
      outcomes.map(({ mitigation, correct, sdc, nonFinite, effective, firstLayer }) => [
        ...[mitigation, `${correct} of ${trial.images}`, String(sdc), String(nonFinite)],
        ...[effective === null ? '-' : grouped(effective), firstLayer ?? '-'],
      ]),
    ),
    '',
    ...besideWeights(condition),
    ...(storagesOf(condition.storage).includes('weights')
      ? [
          `${grouped(changedWeights)} ${changedWeights === 1 ? 'weight reads' : 'weights read'} differently${hasMemoryParts(study) ? ' without what stands in the memory' : ''}${isIntermittent ? ', if all faults are active at once' : ''}`,
        ]
      : []),
    ...(listed.length > 0 ? ['', weightTable(listed, condition.format === 'int8')] : []),
    ...(listed.length > 0 && more > 0
      ? [`and ${grouped(more)} more (--limit N lists more, --json all)`]
      : []),
  ].join('\n');
}

/** What faults of other storages than weights change depends on the image, and is not listed. */
function besideWeights({ storage }: Condition): string[] {
  const others = storagesOf(storage).filter((name) => name !== 'weights');
  if (others.length === 0) return [];
  const where = others.map((name) => STORAGE_TITLES[name]).join(' and ');
  return [
    `Faults of ${where} change no weights, but what is computed of each image: that is not listed`,
  ];
}

/** Whether a mitigation makes other words of the faults than those that are listed. */
function hasMemoryParts({ mitigations }: Study): boolean {
  return mitigations.some((mitigation) => memoryPartsOf(mitigation).length > 0);
}

function weightTable(rows: readonly WeightRow[], isInt8: boolean): string {
  const valueText = (value: number) =>
    isInt8 ? String(value) : String(Number(value.toPrecision(6)));
  return formatTable(
    ['layer', 'index', 'stored', 'faulty', 'stored word', 'faulty word', 'bits', 'bank,row,column'],
    rows.map((row) => [
      ...[row.layer, String(row.index), valueText(row.stored), valueText(row.faulty)],
      ...[row.storedWord, row.faultyWord, row.bits.join(' ')],
      row.cells.map(({ bank, row: line, column }) => `${bank},${line},${column}`).join(' '),
    ]),
  );
}
