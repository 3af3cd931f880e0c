import { areaOfCounts, largestActivation, thresholdsOf } from '../../mitigation/index.js';
import { createSearchProgress } from './search-progress.js';
import { type prepareTuning, type TuneCost, type TuneOptions, withEvaluator } from './tune.js';

/** What the thresholds of one layer are worth, all other layers at their profile maxima. */
export interface LayerSweep {
  readonly name: string;
  readonly actMax: number;
  /** Areas under accuracy against fault rate, by ascending threshold; the last is ACT_max. */
  readonly points: readonly { readonly threshold: number; readonly area: number }[];
}

/**
 * The area under accuracy against fault rate at equally spaced thresholds of each layer, up to ACT_max, on worker
 * threads; all thresholds meet the same fault maps and training images. Undefined: it was stopped before the end.
 */
export async function runSweep(
  { data }: ReturnType<typeof prepareTuning>,
  options: TuneOptions,
): Promise<{ readonly layers: LayerSweep[]; readonly cost: TuneCost } | undefined> {
  const { tuning, network, maxima } = data;
  if (tuning.method !== 'sweep') throw new Error(`a ${tuning.method} is no sweep`);
  const { points, maps, rates, images } = tuning;
  const progress = createSearchProgress(
    [...maxima].map(() => points * maps * rates.length),
    options.onProgress,
  );
  const run = await withEvaluator(data, options, progress.add, async (evaluator) => {
    const layers: LayerSweep[] = [];
    for (const [name, values] of maxima) {
      const factors = Array.from({ length: points }, (_, point) => (point + 1) / points);
      const counts = await evaluator.score({
        first: name,
        last: name,
        candidates: factors.map(
          (factor) =>
            new Map([...maxima, [name, thresholdsOf('layer', network, name, values, factor)]]),
        ),
        maps,
      });
      const actMax = largestActivation(network, name, values);
      layers.push({
        name,
        actMax,
        points: factors.map((factor, point) => ({
          threshold: factor * actMax,
          area: areaOfCounts(counts[point], images),
        })),
      });
      progress.finishStage();
      options.onLayer?.(name);
    }
    return layers;
  });
  return run && { layers: run.result, cost: run.cost };
}
