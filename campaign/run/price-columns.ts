import type { Price } from '../../mitigation/index.js';
import type { PricedPoint, StudyPrices } from '../points/mitigation-prices.js';
import type { AddedColumns, CellValue } from '../store/index.js';
import { WEIGHTS_ALONE } from '../study/storages.js';

/** The columns in which rows of points have their prices; null: not given. */
const COLUMNS: readonly {
  readonly name: string;
  readonly type: 'DOUBLE' | 'VARCHAR';
  of(price: Price): CellValue;
}[] = [
  { name: 'price_cells', type: 'DOUBLE', of: ({ cells }) => cells.count },
  { name: 'price_cells_share', type: 'DOUBLE', of: ({ cells }) => cells.share },
  { name: 'price_xor_encoder', type: 'DOUBLE', of: ({ xorGates }) => xorGates?.encoder ?? null },
  { name: 'price_xor_syndrome', type: 'DOUBLE', of: ({ xorGates }) => xorGates?.syndrome ?? null },
  {
    name: 'price_xor_corrector',
    type: 'DOUBLE',
    of: ({ xorGates }) => xorGates?.corrector ?? null,
  },
  { name: 'price_levels', type: 'DOUBLE', of: ({ readLatency }) => readLatency.levels },
  { name: 'price_seconds', type: 'DOUBLE', of: ({ readLatency }) => readLatency.seconds },
  { name: 'price_cycles', type: 'DOUBLE', of: ({ cycles }) => cycles },
  { name: 'price_energy', type: 'DOUBLE', of: ({ energy }) => energy },
  { name: 'price_area', type: 'DOUBLE', of: ({ area }) => area },
  { name: 'price_not_given', type: 'VARCHAR', of: notGivenText },
];

/** Each component that is not given, with its reason; null where all is. */
function notGivenText({ notGiven }: Price): string | null {
  if (notGiven.length === 0) return null;
  return notGiven.map(({ component, reason }) => `${component}: ${reason}`).join('; ');
}

/** The prices of points as columns of their rows. */
export function priceColumns(points: readonly PricedPoint[], prices: StudyPrices): AddedColumns {
  const rows = new Map(
    points.map((point) => {
      const { model, format, accelerator, storage = WEIGHTS_ALONE, mitigation } = point;
      const price = prices(point);
      const key = [model, format, accelerator, storage, mitigation];
      return [JSON.stringify(key), [...key, ...COLUMNS.map((column) => column.of(price))]];
    }),
  );
  return {
    key: ['model', 'format', 'accelerator', 'storage', 'mitigation'],
    columns: COLUMNS,
    rows: [...rows.values()],
  };
}
