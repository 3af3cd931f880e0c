import { InputError } from '../../../core/index.js';
import { FAULT_KINDS, type FaultMap } from '../../../fault/index.js';
import type { Dies } from '../../study/dies.js';
import { compareDies, type DieLabels, dieKey, dieName, type Measurement } from './measured-dies.js';

/** The dies that were measured at a voltage. */
export interface DieLevel {
  /** In volts; null: it is not known. */
  readonly voltage: number | null;
  /** In the order of `compareDies`. */
  readonly dies: readonly Measurement[];
}

/**
 * Measurements by voltage, falling. Those of one die and voltage, which may come from several files, are joined.
 *
 * @param missing what a die is at a voltage of which it has no line
 * @throws InputError when that is not said, some files name a voltage and some do not, or two contradict each other
 */
export function dieGrid(
  measurements: readonly Measurement[],
  missing: Dies['missing'],
): readonly DieLevel[] {
  const dies = new Map<string, Map<number | null, Measurement>>();
  for (const one of measurements) {
    const key = dieKey(one);
    const byVoltage = dies.get(key) ?? new Map<number | null, Measurement>();
    dies.set(key, byVoltage);
    const before = byVoltage.get(one.voltage);
    byVoltage.set(one.voltage, before === undefined ? one : join(before, one));
  }
  const voltages = voltagesOf(measurements);
  const sorted = [...dies.values()].sort((one, other) => compareDies(first(one), first(other)));
  const lacking = sorted.filter((die) => die.size < voltages.length);
  if (missing === undefined && lacking.length > 0) throw notMeasured(lacking, voltages);
  return voltages.map((voltage) => ({
    voltage,
    dies: sorted.flatMap((die) => {
      const found = die.get(voltage);
      if (found !== undefined) return [found];
      return missing === 'clean' ? [withoutFault(first(die), voltage)] : [];
    }),
  }));
}

function first(die: ReadonlyMap<number | null, Measurement>): Measurement {
  const [measurement] = die.values();
  return measurement;
}

function withoutFault(die: Measurement, voltage: number | null): Measurement {
  const map = { ...die.map, cells: new Float64Array(0), kinds: new Uint8Array(0) };
  return { ...die, voltage, map };
}

function voltagesOf(measurements: readonly Measurement[]): (number | null)[] {
  const voltages = [...new Set(measurements.map(({ voltage }) => voltage))];
  const unknown = measurements.find(({ voltage }) => voltage === null);
  if (unknown !== undefined && voltages.length > 1) {
    throw new InputError(
      `${unknown.file} does not say its voltage, but others do; name it in a column voltage, or in the name of the file (--die-labels "{die}_{voltage}V.csv").`,
    );
  }
  return voltages.sort((one, other) => (other ?? 0) - (one ?? 0));
}

function notMeasured(
  lacking: readonly ReadonlyMap<number | null, Measurement>[],
  voltages: readonly (number | null)[],
): InputError {
  const [die] = lacking;
  const voltage = voltages.find((one) => !die.has(one));
  const { file } = first(die);
  const more = lacking.length > 1 ? ` (nor have ${lacking.length - 1} others at some voltage)` : '';
  return new InputError(
    `${file}: ${dieName(first(die))} has no line at ${voltage} V, where others have${more}; say what that means: --missing clean (it has no fault there) or --missing skip (it was not measured).`,
  );
}

/** @throws InputError when a cell fails in different ways */
function join(one: Measurement, other: Measurement): Measurement {
  const files = new Set([...one.file.split(','), other.file]);
  return { ...one, file: [...files].sort().join(','), map: union(one, other) };
}

function union(one: Measurement, other: Measurement): FaultMap {
  const kindOf = new Map<number, number>();
  for (const { map, file } of [one, other]) {
    map.cells.forEach((cell, fault) => {
      const before = kindOf.get(cell);
      const kind = map.kinds[fault];
      if (before !== undefined && before !== kind) {
        throw new InputError(
          `${file}: cell ${cell} of ${dieName(one)} is ${FAULT_KINDS[kind]}, but ${FAULT_KINDS[before]} in ${one.file}.`,
        );
      }
      kindOf.set(cell, kind);
    });
  }
  const cells = Float64Array.from(kindOf.keys()).sort();
  return { ...one.map, cells, kinds: Uint8Array.from(cells, (cell) => kindOf.get(cell) ?? 0) };
}

/** Dies that a list of warnings names. */
const MOST_NAMED = 5;

/** What is odd about the dies: cells that fail at a voltage and not at a lower one. */
export function gridWarnings(levels: readonly DieLevel[]): string[] {
  const higher = new Map<string, Measurement>();
  const odd = new Map<string, string>();
  for (const { dies } of levels) {
    for (const die of dies) {
      const key = dieKey(die);
      const before = higher.get(key);
      higher.set(key, die);
      if (before === undefined || odd.has(key)) continue;
      const cells = new Set(die.map.cells);
      const healed = before.map.cells.filter((cell) => !cells.has(cell)).length;
      if (healed > 0) odd.set(key, healedText(before, die, healed));
    }
  }
  const named = [...odd.values()].slice(0, MOST_NAMED);
  const more = odd.size - named.length;
  return more > 0
    ? [...named, `and of ${more} more dies the maps are not nested in voltage`]
    : named;
}

function healedText(before: Measurement, { voltage }: Measurement, cells: number): string {
  const labels: DieLabels = before;
  return `${dieName(labels)}: ${cells} of the cells that fail at ${before.voltage} V do not at ${voltage} V: its maps are not nested in voltage`;
}
