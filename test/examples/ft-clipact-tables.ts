import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCsv } from '../../cli/print/csv.js';

/** A mean with its interval. */
export type Estimate = readonly [mean: number, low: number, high: number];

/** What the tables of a fixture say of one network, word format and mitigation. */
export interface FixtureGains {
  readonly [mitigation: string]: Estimate;
}

const MITIGATIONS = ['none', 'clip', 'clip-tuned', 'clamp'];
const RATES = { float32: [1e-6, 1e-5], int8: [1e-3, 1e-2] } as const;

/** Accuracy of the fault-free network of a fixture. */
export const CLEAN = 0.9;

function write(
  folder: string,
  name: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.csv`), formatCsv({ columns, rows }));
}

const POINT_COLUMNS = [
  ...['model', 'format', 'fault_model', 'scope', 'mitigation', 'rate', 'maps', 'images'],
  ...['accuracy_mean', 'accuracy_low', 'accuracy_high'],
  ...['difference_mean', 'difference_low', 'difference_high'],
  ...['map_worst', 'map_lower_quartile', 'map_median', 'map_upper_quartile', 'map_best'],
  ...['yield_within', 'yield_share', 'yield_low', 'yield_high'],
];

/** Tables of the step `mitigations`: `unprotected` at the higher rate, fault-free accuracy at the lower. */
export function writeMitigations(
  folder: string,
  { model, format }: { model: string; format: 'float32' | 'int8' },
  { unprotected, gains }: { unprotected: number; gains: FixtureGains },
): void {
  const name = `mitigations-${model}-${format}`;
  const [low, high] = RATES[format];
  const points = [low, high].flatMap((rate) =>
    MITIGATIONS.map((mitigation) => {
      const [gain, ...bounds] = rate === high ? (gains[mitigation] ?? [0, 0, 0]) : [0, -0.01, 0.01];
      const accuracy = (rate === high ? unprotected : CLEAN) + gain;
      return [
        ...[model, format, 'flip', 'all', mitigation, rate, 200, 25],
        ...[accuracy, accuracy - 0.01, accuracy + 0.01],
        ...(mitigation === 'none' ? [null, null, null] : [gain, ...bounds]),
        ...[0.1, 0.5, 0.6, 0.7, 0.9, 0.02, 0.5, 0.4, 0.6],
      ];
    }),
  );
  write(folder, name, POINT_COLUMNS, points);
  const pairs = [low, high].flatMap((rate) =>
    MITIGATIONS.slice(1).map((mitigation) => [
      ...[rate, mitigation, 'none', 200],
      ...(rate === high ? (gains[mitigation] ?? [0, -0.01, 0.01]) : [0, -0.01, 0.01]),
    ]),
  );
  const columns = ['rate', 'mitigation', 'reference', 'maps', 'mean', 'low', 'high'];
  write(folder, `${name}-pairs`, columns, pairs);
  write(
    folder,
    `${name}-areas`,
    [
      ...['mitigation', 'rates', 'maps', 'clean', 'mean', 'low', 'high'],
      ...['gain_mean', 'gain_low', 'gain_high'],
    ],
    MITIGATIONS.map((mitigation) => [
      ...[mitigation, `${low} ${high}`, 200, CLEAN, 0.7, 0.69, 0.71],
      ...(mitigation === 'none' ? [null, null, null] : (gains[mitigation] ?? [0, -0.01, 0.01])),
    ]),
  );
}
