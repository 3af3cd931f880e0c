import { InputError } from '../../core/index.js';
import {
  type FaultMap,
  readFaultMap,
  requireGeometry,
  requireStorage,
  storageOfMap,
} from '../../fault/index.js';
import type { PlacedStorage } from '../../sim/index.js';

/**
 * The faults of a storage in a file of fault maps.
 *
 * @param together the storages that are broken at once, this one among them: of several the file must say which fault is
 * of which
 * @throws InputError when the file is wrong, for another memory, or of another storage
 */
export function loadStorageMap(
  file: string,
  { name, geometry, columnMux }: PlacedStorage,
  together: string = name,
): FaultMap {
  const map = readFaultMap(file, { geometry, columnMux, storage: name });
  // Memories of two storages differ in size, too, which says less.
  requireStorage(map, name, file);
  requireGeometry(map, geometry, file);
  if (together === name || storageOfMap(map) !== undefined) return map;
  throw new InputError(
    `${file} does not say of which storage its faults are, but ${together} are broken at once: give a table with a column storage`,
  );
}
