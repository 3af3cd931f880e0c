import { type Chart, chartOf } from './chart.js';
import { percentage, type ThresholdRow } from './rows.js';

/**
 * Area under accuracy against fault rate, for each layer against its clip threshold as a share of the layer's largest
 * fault-free activation. All layers have the same axes; the dashed line is the area at that largest activation.
 */
export function areaByThreshold(rows: readonly ThresholdRow[], title: string): Chart {
  const areas = rows.flatMap(({ points }) => points.map(({ area }) => percentage(area)));
  const most = Math.max(
    1,
    ...rows.flatMap(({ actMax, points }) => points.map(({ threshold }) => threshold / actMax)),
  );
  const domain = [Math.floor(Math.min(...areas)), Math.ceil(Math.max(...areas))];
  const y = { type: 'quantitative' as const, title: 'area, %', scale: { domain, nice: false } };
  const panels = rows.map(({ layer, actMax, points }) => {
    const values = points
      .map(({ threshold, area }) => ({
        threshold: Number((threshold / actMax).toPrecision(4)),
        area: percentage(area),
      }))
      .sort((first, second) => first.threshold - second.threshold);
    const atActMax = values.filter(({ threshold }) => threshold === 1);
    return {
      title: layer,
      width: 120,
      height: 80,
      data: { values },
      layer: [
        {
          data: { values: atActMax },
          mark: { type: 'rule' as const, strokeDash: [3, 3], color: '#888888' },
          encoding: { y: { ...y, field: 'area' } },
        },
        {
          mark: { type: 'line' as const, strokeWidth: 1.2, point: { size: 15 } },
          encoding: {
            x: {
              field: 'threshold',
              type: 'quantitative' as const,
              title: 'threshold / ACT_max',
              scale: { domain: [0, most], nice: false },
              axis: { tickCount: 5 },
            },
            y: { ...y, field: 'area' },
          },
        },
      ],
    };
  });
  return chartOf(panels, { title, columns: 5 });
}
