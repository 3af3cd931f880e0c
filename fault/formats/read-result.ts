import type { FaultList } from '../fault-list.js';
import type { Provenance } from '../fault-map.js';
import type { CellGeometry } from '../geometry.js';
import type { ConditionLabels } from './columns.js';
import type { Notes } from './notes.js';

/** The faults of one die at one voltage, of a table that holds several. */
export interface FaultFilePart {
  readonly labels: ConditionLabels;
  /** Sorted and distinct. */
  readonly faults: FaultList;
}

/** What a file of faults holds. */
export interface ReadFaultFile {
  readonly geometry: CellGeometry;
  /** Sorted and distinct. */
  readonly faults: FaultList;
  /** Where the file says that the map came from. */
  readonly provenance?: Provenance | undefined;
  /** What it says besides. */
  readonly notes?: Notes | undefined;
  /** Lines of a log that repeat what earlier lines report. */
  readonly repeatedLines: number;
  /** Of a table that is split; `faults` is then empty. */
  readonly parts?: readonly FaultFilePart[] | undefined;
}
