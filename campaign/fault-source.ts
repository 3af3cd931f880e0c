import {
  type CellGeometry,
  cellCount,
  type FaultMap,
  type UniformFaults,
  uniformFaultMap,
} from '../fault/index.js';
import type { Scope } from './scope.js';

/** Where the faults of a condition come from. */
export type FaultSource =
  | { readonly kind: 'uniform'; readonly faults: UniformFaults }
  | { readonly kind: 'file'; readonly file: string };

/** A fault source in a word, for tables and results. */
export function faultSourceName(source: FaultSource): string {
  return source.kind === 'file' ? source.file : source.faults;
}

/** Gives the map of a fault map file of the study. */
export type FaultMapReader = (file: string) => FaultMap;

/** What a fault map of a condition depends on. */
export interface FaultMapRequest {
  readonly source: FaultSource;
  readonly geometry: CellGeometry;
  readonly scope: Scope;
  /** Share of the cells of the scope that are faulty; a file has its own. */
  readonly rate: number;
  readonly seed: number;
  /** Number of the map. */
  readonly map: number;
  readonly readMap: FaultMapReader;
}

/**
 * A fault map of a condition: of a file, the faults that lie in the scope; else drawn from the cells of the scope,
 * which are numbered as if they were a memory of their own. So the number of drawn faults follows the rate as it
 * does for a whole memory, and maps of one scope are nested in the rate.
 */
export function faultMapOf(request: FaultMapRequest): FaultMap {
  const { source, geometry, scope, rate, seed, map, readMap } = request;
  if (source.kind === 'file') return restrictFaultMap(readMap(source.file), scope);
  const whole = scope.count === cellCount(geometry);
  const drawn = uniformFaultMap({
    geometry: whole ? geometry : { banks: 1, rows: 1, columns: scope.count },
    rate,
    faults: source.faults,
    seed,
    trial: map,
  });
  return whole ? drawn : { ...fromScope(drawn, scope), geometry };
}

/** Cells of the memory in place of numbers within the scope, ascending. */
function fromScope(map: FaultMap, scope: Scope): FaultMap {
  const cells = map.cells.map((number) => scope.cellAt(number));
  const order = Uint32Array.from(cells.keys()).sort((a, b) => cells[a] - cells[b]);
  return {
    ...map,
    cells: Float64Array.from(order, (position) => cells[position]),
    kinds: Uint8Array.from(order, (position) => map.kinds[position]),
  };
}

/** The faults of a map that lie in a scope. */
export function restrictFaultMap(map: FaultMap, scope: Scope): FaultMap {
  const inside = Uint32Array.from(map.cells.keys()).filter((position) =>
    scope.has(map.cells[position]),
  );
  if (inside.length === map.cells.length) return map;
  return {
    ...map,
    cells: Float64Array.from(inside, (position) => map.cells[position]),
    kinds: Uint8Array.from(inside, (position) => map.kinds[position]),
  };
}
