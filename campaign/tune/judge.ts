import { areaUnderCurve } from '../../mitigation/index.js';
import { prepareStudy } from '../run/prepare.js';
import { type RunOptions, runStudy } from '../run/run-study.js';
import { parseStudy } from '../study/study.js';
import type { Tuning } from './tuning.js';

/** What tuned thresholds are worth where the search never looked. */
export interface Judgement {
  /** Fault maps a rate. */
  readonly maps: number;
  /** Test images a map. */
  readonly images: number;
  /** Areas under accuracy against fault rate, at the rates of the search. */
  readonly auc: Readonly<Record<'none' | 'clip' | 'clip-tuned', number>>;
}

const JUDGED = ['none', 'clip', 'clip-tuned'] as const;

/**
 * Judge the tuned thresholds of a file on fresh fault maps of the whole network and test images: the study that
 * `bitcell run` makes of the same options. Undefined: it was stopped before the end.
 */
export async function judgeThresholds(
  { model, format, accelerator, placement, faults, rates, seed }: Tuning,
  file: string,
  { maps, images }: Pick<Judgement, 'maps' | 'images'>,
  folder: string | undefined,
  options: RunOptions,
): Promise<Judgement | undefined> {
  const study = parseStudy({
    models: [model],
    formats: [format],
    accelerators: [accelerator],
    placement,
    faults,
    rates,
    mitigations: JUDGED,
    thresholds: { [model]: file },
    maps,
    images,
    seed,
  });
  const { points, complete } = await runStudy(prepareStudy(study, { folder }), options);
  if (!complete) return undefined;
  const areaOf = (mitigation: (typeof JUDGED)[number]) =>
    areaUnderCurve(
      points
        .filter((point) => point.mitigation === mitigation)
        .map(({ accuracy }) => accuracy.mean),
    );
  return {
    maps,
    images,
    auc: { none: areaOf('none'), clip: areaOf('clip'), 'clip-tuned': areaOf('clip-tuned') },
  };
}
