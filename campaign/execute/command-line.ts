import { z } from 'zod';
import { shellWord } from '../../core/index.js';
import type { InputFile } from '../../workload/index.js';
import { isPilotMap } from '../points/pilot.js';
import { STUDY_AXES } from '../study/axes.js';
import type { Dies } from '../study/dies.js';
import { DEFAULT_STUDY, type Study, savedStudy, studyInputOf } from '../study/study.js';
import type { Trial } from '../trial/trial.js';

/** The axes whose values may have a comma in them: each has an option of its own. */
const REPEATED: readonly string[] = STUDY_AXES.filter(
  ({ option }) => option.values === 'files',
).map(({ name }) => name);

/** Options of `bitcell run` for the fields of a resolved study, in the order of a command line. */
const OPTIONS: readonly (readonly [keyof Study, string])[] = [
  ...STUDY_AXES.map(({ name, option }) => [name, option.flag] as const),
  ['placement', '--placement'],
  ['granularity', '--granularity'],
  ['clipPosition', '--clip-position'],
  ['maps', '--maps'],
  ['images', '--images'],
  ['imageChoice', '--image-choice'],
  ['precision', '--precision'],
  ['within', '--within'],
  ['yield', '--yield'],
  ['seed', '--seed'],
  ['task', '--task'],
  ['topK', '--top-k'],
  ['tolerance', '--tolerance'],
  ['anomalyThreshold', '--anomaly-threshold'],
  ['outputName', '--output-name'],
];

/**
 * The command that continues a saved study, ready to be pasted into a shell; where options cannot say what the study
 * is, with its file left to be named.
 *
 * @param configuration of the store: not trusted
 */
export function continueCommand(
  configuration: Readonly<Record<string, unknown>>,
  folder: string,
): string {
  const study = resolvedStudy(configuration);
  const options = (study && studyOptions(study)) ?? ['STUDY.yaml'];
  const inputs = inputOptions(savedInputs(configuration));
  return ['bitcell', 'run', ...options, ...inputs, '--out', shellWord(folder), '--resume'].join(
    ' ',
  );
}

/**
 * The command that runs one trial of a study again and shows it, ready to be pasted into a shell; where options cannot
 * say what the study is, with its file left to be named.
 */
export function replayCommand(
  study: Study,
  { condition, map, images }: Pick<Trial, 'condition' | 'map' | 'images'>,
  inputs: readonly InputFile[] = [],
): string {
  // The images of a pilot's maps are its own; those of the others it chose from results, which one trial does not have.
  const isChosen = study.images === 'pilot' && !isPilotMap(map);
  const options = studyOptions(isChosen ? { ...study, precision: undefined, images } : study);
  const words = options ?? ['STUDY.yaml', ...(isChosen ? ['--images', String(images)] : [])];
  const given = inputOptions(inputs);
  return ['bitcell', 'run', ...words, ...given, '--only', `${condition}:${map}`].join(' ');
}

function inputOptions(inputs: readonly InputFile[]): string[] {
  return inputs.flatMap(({ name, file }) => [
    '--input',
    shellWord(name === undefined ? file : `${name}=${file}`),
  ]);
}

const inputFiles = z.array(z.object({ name: z.string().optional(), file: z.string() }));

/** The files of samples that a store names: not trusted, and only shown. */
function savedInputs({ inputs }: Readonly<Record<string, unknown>>): readonly InputFile[] {
  return inputFiles.safeParse(inputs).data ?? [];
}

/** Undefined where options cannot say what the study is. */
function studyOptions(resolved: Study): string[] | undefined {
  const study = studyInputOf(resolved);
  const defaults = studyInputOf(DEFAULT_STUDY);
  const words: string[] = [];
  for (const [field, option] of OPTIONS) {
    const value = study[field];
    const preset = defaults[field];
    if (value === undefined || JSON.stringify(value) === JSON.stringify(preset)) continue;
    const items = (Array.isArray(value) ? value : [value]) as readonly unknown[];
    // Models as objects have no word; a comma would part a name in two.
    if (items.some((item) => typeof item === 'object')) return undefined;
    const texts = items.map(String);
    if (REPEATED.includes(field)) {
      words.push(...texts.flatMap((text) => [option, shellWord(text)]));
      continue;
    }
    if (texts.some((text) => text.includes(','))) return undefined;
    words.push(option, shellWord(texts.join(',')));
  }
  words.push(...dieOptions(study.dies));
  const files = Object.values(study.thresholds ?? {});
  if (files.length > 1 || (files.length === 1 && study.models.length > 1)) return undefined;
  return [...words, ...files.flatMap((file) => ['--thresholds', shellWord(file)])];
}

/** The options that are given the values of the fields of `dies`. */
const DIE_OPTIONS: Readonly<Record<Exclude<keyof Dies, 'from' | 'select'>, string>> = {
  dieLabels: '--die-labels',
  missing: '--missing',
  mapGeometry: '--map-geometry',
  columnMux: '--column-mux',
  tile: '--tile',
  offset: '--offset',
  format: '--from',
  kind: '--kind',
  faultBit: '--fault-bit',
  columns: '--columns',
  indexBase: '--index-base',
  addressBase: '--address-base',
  maskBase: '--mask-base',
  stop: '--stop',
};

function dieOptions(dies: Dies | undefined): string[] {
  if (dies === undefined) return [];
  const { from, select, ...others } = dies;
  const texts = Object.entries(DIE_OPTIONS).flatMap(([field, option]) => {
    const value = Object.entries(others).find(([name]) => name === field)?.[1];
    return value === undefined ? [] : [option, shellWord(String(value))];
  });
  const labels = Object.entries(select ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    ...from.flatMap((spec) => ['--fault-maps', shellWord(spec)]),
    ...texts,
    ...(labels.length > 0 ? ['--select', shellWord(labels.join(','))] : []),
  ];
}

function resolvedStudy(configuration: Readonly<Record<string, unknown>>): Study | undefined {
  try {
    return savedStudy(configuration);
  } catch {
    return undefined;
  }
}
