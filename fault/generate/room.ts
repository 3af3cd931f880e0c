import { requireMemory } from '../../core/index.js';
import { type CellGeometry, formatGeometry } from '../geometry.js';

/** Cell, kind, and the copies of them while a map is drawn, sorted and placed. */
const BYTES_PER_FAULT = 40;

/**
 * Checks, before a map is drawn, that there is memory for its faults.
 *
 * @param count of faults, or their expected number
 * @throws InputError naming rate and geometry
 */
export function requireRoomForFaults(count: number, rate: number, geometry: CellGeometry): void {
  requireMemory(
    count * BYTES_PER_FAULT,
    `The ${Math.round(count)} faults of the rate ${rate} in ${formatGeometry(geometry)}`,
  );
}
