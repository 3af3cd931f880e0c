import type {
  AccuracyRow,
  ActivationRow,
  MapSpreadRow,
  PriceAndLossRow,
  ThresholdRow,
} from '../../report/index.js';

const MITIGATIONS = ['none', 'clip', 'clip-tuned', 'clamp'] as const;
const RATES = { float32: [1e-8, 1e-7, 1e-6, 1e-5, 1e-4], int8: [1e-6, 1e-4, 1e-3, 1e-2, 3e-2] };

/** A row whose accuracy falls with the place of its rate and rises with that of its mitigation. */
function row(
  format: 'int8' | 'float32',
  scope: string,
  mitigation: number,
  rate: number,
): AccuracyRow {
  const mean = 0.9 - (0.15 * rate) / (1 + mitigation);
  return {
    model: 'vgg16',
    format,
    faultModel: 'flip',
    scope,
    mitigation: MITIGATIONS[mitigation],
    rate: RATES[format][rate],
    accuracy: { mean, low: mean - 0.03, high: mean + 0.02 },
  };
}

/** Rows of each combination: both formats, some scopes, mitigations and rates. */
export function accuracyRows(
  scopes: readonly string[],
  { mitigations = 4, rates = 5 }: { mitigations?: number; rates?: number } = {},
): AccuracyRow[] {
  const places = (count: number) => Array.from({ length: count }, (_, index) => index);
  return (['float32', 'int8'] as const).flatMap((format) =>
    scopes.flatMap((scope) =>
      places(mitigations).flatMap((mitigation) =>
        places(rates).map((rate) => row(format, scope, mitigation, rate)),
      ),
    ),
  );
}

export const MAP_SPREAD_ROWS: readonly MapSpreadRow[] = accuracyRows(['all'], { rates: 3 }).map(
  (found) => {
    const { mean } = found.accuracy;
    const perMap = {
      worst: mean - 0.4,
      lowerQuartile: mean - 0.1,
      median: mean,
      upperQuartile: mean + 0.04,
      best: mean + 0.08,
    };
    return { ...found, perMap };
  },
);

const LAYERS = ['conv1', 'conv2', 'conv3', 'fc1', 'fc2'];

export const ACTIVATION_ROWS: readonly ActivationRow[] = LAYERS.flatMap((layer, place) =>
  [0, 1e-6, 1e-5].map((rate, index) => ({
    layer,
    rate,
    values: 1e6,
    nonFinite: index,
    octaves: Array.from({ length: 10 + 30 * index }, (_, step) => ({
      exponent: step - 6 - place,
      count: Math.max(1, Math.round(4e5 / 2 ** step)),
    })),
  })),
);

export const THRESHOLD_ROWS: readonly ThresholdRow[] = LAYERS.map((layer, place) => ({
  layer,
  actMax: 8 + place,
  points: Array.from({ length: 12 }, (_, step) => ({
    threshold: ((8 + place) * (step + 1)) / 12,
    area: 0.5 + 0.03 * step - 0.002 * step * step,
  })),
}));

/** A condition with mitigations of these prices and losses. */
export function priceAndLossRow(
  members: readonly (readonly [name: string, price: number | null, loss: number])[],
  faultModel = 'flip',
): PriceAndLossRow {
  return {
    ...{ model: 'alexnet', format: 'int8', accelerator: 'edge-16x16', faultModel, scope: 'all' },
    ...{ rate: 1e-3, priceUnit: 'cells' },
    front: members.map(([mitigation, price, loss], at) => ({
      ...{ mitigation, price },
      drop: { mean: loss, low: loss - 0.02, high: loss + 0.03 },
      yield: { share: 0.5, low: 0.4, high: 0.6 },
      isOnFront: price === null ? null : at % 2 === 0,
      toldApart: price === null ? null : at % 3 === 0,
    })),
  };
}
