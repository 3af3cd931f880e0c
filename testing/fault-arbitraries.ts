import fc from 'fast-check';
import {
  type CellGeometry,
  cellCount,
  FAULT_KINDS,
  type FaultMap,
  type FaultModel,
  type Provenance,
  parseFaultModel,
  type UniformFaults,
} from '../fault/index.js';

/** Small memories: up to 4 banks of 8 rows and 16 columns. */
export function cellGeometries(): fc.Arbitrary<CellGeometry> {
  return fc.record({
    banks: fc.integer({ min: 1, max: 4 }),
    rows: fc.integer({ min: 1, max: 8 }),
    columns: fc.integer({ min: 1, max: 16 }),
  });
}

/** Small memories with up to 3 spare rows, 4 check columns and 3 spare columns beside the data cells. */
export function extendedGeometries(): fc.Arbitrary<CellGeometry> {
  return fc
    .record({
      data: cellGeometries(),
      spareRows: fc.nat({ max: 3 }),
      checkColumns: fc.nat({ max: 4 }),
      spareColumns: fc.nat({ max: 3 }),
    })
    .map(({ data, ...extras }) => ({
      banks: data.banks,
      rows: data.rows + extras.spareRows,
      columns: data.columns + extras.checkColumns + extras.spareColumns,
      ...Object.fromEntries(Object.entries(extras).filter(([, size]) => size > 0)),
    }));
}

/** What the faults of a uniform map do. */
export function uniformFaults(): fc.Arbitrary<UniformFaults> {
  return fc.constantFrom(...FAULT_KINDS, 'stuck-at' as const);
}

function places() {
  const size = fc.integer({ min: 1, max: 6 });
  return fc.oneof(
    fc.record({ model: fc.constantFrom('uniform', 'rows', 'columns', 'banks') }),
    fc.record({
      model: fc.constant('clusters'),
      clustering: fc.double({ min: 0.05, max: 10, noNaN: true }),
      region: fc.oneof(
        fc.constantFrom('bank', 'row', 'column'),
        fc.record({ rows: size, columns: size }),
      ),
      clusterSize: fc.double({ min: 1, max: 8, noNaN: true }),
      spread: fc.double({ min: 0.1, max: 4, noNaN: true }),
    }),
    weakLines(),
  );
}

function weakLines() {
  const clustering = fc.double({ min: 0.003, max: 10, noNaN: true });
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  // Steps of rate · share between nothing and the whole step of the rate.
  const shares = fc
    .array(fc.record({ step: fc.double({ min: 0.001, max: 0.1, noNaN: true }), part }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((steps) => {
      const points: { rate: number; share: number }[] = [];
      let [rate, background] = [0, 0];
      for (const { step, part: share } of steps) {
        // A little less than a whole step: rounding must not make the rest fall.
        background += step * (0.01 + 0.98 * share);
        rate += step;
        points.push({ rate, share: background / rate });
      }
      return points;
    });
  return fc.record(
    {
      model: fc.constant('weak-lines'),
      clustering,
      background: fc.record({ clustering, shares }),
      rows: fc.integer({ min: 1, max: 9 }),
      rowStride: fc.integer({ min: 1, max: 4 }),
      pairDistance: fc.integer({ min: 1, max: 9 }),
    },
    { requiredKeys: ['model', 'clustering'] },
  );
}

function voltageTables() {
  const steps = fc.array(
    fc.record({
      voltage: fc.double({ min: 0.001, max: 0.05, noNaN: true }),
      factor: fc.double({ min: 1, max: 5, noNaN: true }),
    }),
    { maxLength: 5 },
  );
  return steps.map((list) => {
    const table = [{ voltage: 0.8, rate: 1e-4 }];
    for (const { voltage, factor } of list) {
      const last = table[table.length - 1];
      table.push({ voltage: last.voltage - voltage, rate: last.rate * factor });
    }
    return table;
  });
}

/** Fault models of every kind, without a scope (which depends on the memory). */
export function faultModels(): fc.Arbitrary<FaultModel> {
  const polarity = fc.oneof(
    fc.record({ faults: uniformFaults() }),
    fc.record({
      faults: fc.constant('stuck-at'),
      stuckAt1Share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  );
  const common = fc.tuple(
    polarity,
    fc.record(
      { activeProbability: fc.double({ min: 0, max: 1, noNaN: true }) },
      { requiredKeys: [] },
    ),
  );
  const model = fc.oneof(
    places(),
    fc.record({ model: fc.constant('voltage'), table: voltageTables(), places: places() }),
  );
  return fc
    .tuple(model, common)
    .map(([fields, [faults, rest]]) =>
      parseFaultModel({ ...fields, ...faults, ...rest }, 'arbitrary'),
    );
}

function provenances(): fc.Arbitrary<Provenance> {
  return fc.oneof(
    fc.record({
      source: fc.constant('generated' as const),
      model: faultModels(),
      seed: fc.maxSafeNat(),
      trial: fc.nat(),
      rate: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ source: fc.constant('file' as const), file: fc.string() }),
  );
}

/**
 * Fault maps, from empty to every cell faulty; the cells need not be what the provenance would give.
 *
 * @param geometries Memories to draw from.
 * @param kinds Kinds of the faults.
 */
export function faultMaps(
  geometries = cellGeometries(),
  kinds: readonly (typeof FAULT_KINDS)[number][] = FAULT_KINDS,
): fc.Arbitrary<FaultMap> {
  return geometries.chain((geometry) => {
    const fault = fc.record({
      cell: fc.nat({ max: cellCount(geometry) - 1 }),
      kind: fc.constantFrom(...kinds.map((kind) => FAULT_KINDS.indexOf(kind))),
    });
    const faults = fc.uniqueArray(fault, {
      selector: ({ cell }) => cell,
      maxLength: cellCount(geometry),
    });
    return fc.record({ faults, provenance: provenances() }).map(({ faults, provenance }) => {
      const sorted = faults.toSorted((a, b) => a.cell - b.cell);
      return {
        geometry,
        cells: Float64Array.from(sorted, ({ cell }) => cell),
        kinds: Uint8Array.from(sorted, ({ kind }) => kind),
        provenance,
      };
    });
  });
}
