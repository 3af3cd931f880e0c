import type { FaultMap } from '../../fault/index.js';
import type { Knowledge, KnownMaps } from './knowledge.js';
import type { PartGroup } from './mechanism.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';

/** A fault map, and what of it those parts know that are chosen for faulty cells. */
export interface MapViews {
  /** What reads meet. */
  readonly real: FaultMap;
  readonly repair: FaultMap;
  readonly masking: FaultMap;
  readonly transform: FaultMap;
  readonly order: FaultMap;
}

/** A function that tells what parts know of a map; where there is none of a group its view is the map itself. */
export function viewerOf(
  parts: readonly MemoryPart[],
): (real: FaultMap, knownTo: KnownMaps) => MapViews {
  const known = (group: PartGroup): ((real: FaultMap, knownTo: KnownMaps) => FaultMap) => {
    const part = parts.find((one) => mechanismOf(one).group === group);
    return part ? (_, knownTo) => knownTo(knowledgeOf(part)) : (real) => real;
  };
  const [repair, masking] = [known('repair'), known('masking')];
  const [transform, order] = [known('transform'), known('order')];
  return (real, knownTo) => ({
    real,
    repair: repair(real, knownTo),
    masking: masking(real, knownTo),
    transform: transform(real, knownTo),
    order: order(real, knownTo),
  });
}

/** What a part knows; undefined: every faulty cell, or it is not chosen for them. */
export function knowledgeOf(part: MemoryPart): Knowledge | undefined {
  return 'knows' in part ? part.knows : undefined;
}

/** Whether what parts are chosen for is the same maps in both. */
export function areKnownAlike(one: MapViews, other: MapViews): boolean {
  return one.repair === other.repair && one.masking === other.masking && one.order === other.order;
}

/**
 * The views with each map changed, those that are one map together.
 *
 * @param change is told the number of the map among those that differ, below 5
 */
export function changedViews(
  views: MapViews,
  change: (map: FaultMap, number: number) => FaultMap,
): MapViews {
  const changed = new Map<FaultMap, FaultMap>();
  const changedOf = (map: FaultMap) => {
    const known = changed.get(map) ?? change(map, changed.size);
    changed.set(map, known);
    return known;
  };
  return {
    real: changedOf(views.real),
    repair: changedOf(views.repair),
    masking: changedOf(views.masking),
    transform: changedOf(views.transform),
    order: changedOf(views.order),
  };
}
