import fc from 'fast-check';
import {
  type CellGeometry,
  cellCount,
  FAULT_KINDS,
  type FaultMap,
  type Provenance,
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

/** What the faults of a uniform map do. */
export function uniformFaults(): fc.Arbitrary<UniformFaults> {
  return fc.constantFrom(...FAULT_KINDS, 'stuck-at' as const);
}

function provenances(): fc.Arbitrary<Provenance> {
  return fc.oneof(
    fc.record({
      source: fc.constant('generated' as const),
      generator: fc.constant('uniform' as const),
      seed: fc.maxSafeNat(),
      trial: fc.nat(),
      rate: fc.double({ min: 0, max: 1, noNaN: true }),
      faults: uniformFaults(),
    }),
    fc.record({ source: fc.constant('file' as const), file: fc.string() }),
  );
}

/**
 * Fault maps, from empty to every cell faulty; the cells need not be what the provenance would give.
 *
 * @param geometries Memories to draw from.
 */
export function faultMaps(geometries = cellGeometries()): fc.Arbitrary<FaultMap> {
  return geometries.chain((geometry) => {
    const fault = fc.record({
      cell: fc.nat({ max: cellCount(geometry) - 1 }),
      kind: fc.nat({ max: FAULT_KINDS.length - 1 }),
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
