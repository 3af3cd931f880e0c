import { faultSampleSize } from '../statistics/index.js';
import type { PlacedStorages } from '../study/conditions.js';
import { faultSourceName } from '../study/fault-source.js';
import type { StudyData } from '../trial/study-data.js';

/** How many single faults must be drawn to know the share of those with an effect. */
export interface SampleSize extends PlacedStorages {
  /** The fault model, as the study names it. */
  readonly faults: string;
  readonly scope: string;
  /** Cells in scope times the kinds of fault that each may have. */
  readonly population: number;
  /** Half-widths of the 95 % interval, as fractions, and the maps of one fault that they take. */
  readonly samples: readonly { readonly margin: number; readonly size: number }[];
}

const MARGINS = [0.05, 0.01] as const;

/** Leveugle's sample sizes for the conditions of a study that have one fault a map. */
export function singleFaultSamples(data: StudyData): SampleSize[] {
  return data.conditions.flatMap(({ source, faultCount, rate, ...condition }) => {
    if (faultCount !== 1 || source.kind !== 'model') return [];
    const kinds = source.model.faults === 'stuck-at' ? 2 : 1;
    const population = Math.round(1 / rate) * kinds;
    const { model, format, accelerator, storage, scope } = condition;
    return [
      {
        ...{ model, format, accelerator, storage, scope, population },
        faults: faultSourceName(source),
        samples: MARGINS.map((margin) => ({ margin, size: faultSampleSize(population, margin) })),
      },
    ];
  });
}
