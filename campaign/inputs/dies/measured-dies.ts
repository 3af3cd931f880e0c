import { InputError, parseDecimal } from '../../../core/index.js';
import type { ConditionLabels, FaultMap, ImportedDie } from '../../../fault/index.js';
import { type DieFile, dieOfFile } from './die-files.js';

/** What tells a die from others; null: it is not known. */
export interface DieLabels {
  readonly die: string | null;
  readonly lot: string | null;
  readonly wafer: string | null;
  /** Its place on the wafer. */
  readonly x: number | null;
  readonly y: number | null;
}

/** A die at a voltage. */
export interface Measurement extends DieLabels {
  /** In volts; null: it is not known. */
  readonly voltage: number | null;
  /** The file it is of; several have a comma between them. */
  readonly file: string;
  readonly map: FaultMap;
}

/**
 * The dies of a file by their labels: those of the table, then those of the file's name; a die without a name and a
 * place has the name of the file without its extension.
 *
 * @throws InputError when the two contradict each other, a number is none, or some lines name no die
 */
export function measurementsOf(
  { file, labels: inName }: DieFile,
  dies: readonly ImportedDie[],
): Measurement[] {
  const isNamed = ({ die, x, y }: ConditionLabels) =>
    die !== undefined || (x !== undefined && y !== undefined);
  const all = dies.map(({ labels, map }) => ({ labels: joined(file, inName, labels), map }));
  const isSomeNamed = all.some(({ labels }) => isNamed(labels));
  return all.map(({ labels, map }) => {
    if (isSomeNamed && !isNamed(labels)) {
      throw new InputError(`${file}: some lines name a die, and some do not.`);
    }
    return {
      die: labels.die ?? (isSomeNamed ? null : dieOfFile(file)),
      lot: labels.lot ?? null,
      wafer: labels.wafer ?? null,
      x: numberOf(file, 'x', labels.x),
      y: numberOf(file, 'y', labels.y),
      voltage: voltageOf(file, labels.voltage),
      file,
      map,
    };
  });
}

function joined(file: string, inName: ConditionLabels, inTable: ConditionLabels): ConditionLabels {
  for (const [name, value] of Object.entries(inName)) {
    const other = Object.entries(inTable).find(([label]) => label === name)?.[1];
    const isSame =
      other === undefined ||
      other === value ||
      (parseDecimal(other) !== undefined && parseDecimal(other) === parseDecimal(value));
    if (isSame) continue;
    throw new InputError(`${file}: its name says ${name} ${value}, its lines ${name} ${other}.`);
  }
  return { ...inName, ...inTable };
}

function numberOf(file: string, name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = parseDecimal(text);
  if (value !== undefined) return value;
  throw new InputError(`${file}: ${name} is "${text}"; expected a number.`);
}

function voltageOf(file: string, text: string | undefined): number | null {
  const value = numberOf(file, 'voltage', text?.replace(/\s*V$/, ''));
  if (value === null || value > 0) return value;
  throw new InputError(`${file}: voltage is "${text}"; expected a number of volts above 0.`);
}

/** Whether two measurements are of one die. */
export function dieKey({ die, lot, wafer, x, y }: DieLabels): string {
  return JSON.stringify([lot, wafer, die, x, y]);
}

const collator = new Intl.Collator('en', { numeric: true });

/** The order of dies, which does not depend on the files they are in. */
export function compareDies(one: DieLabels, other: DieLabels): number {
  return (
    compareTexts(one.lot, other.lot) ||
    compareTexts(one.wafer, other.wafer) ||
    compareTexts(one.die, other.die) ||
    (one.x ?? -Infinity) - (other.x ?? -Infinity) ||
    (one.y ?? -Infinity) - (other.y ?? -Infinity) ||
    (dieKey(one) < dieKey(other) ? -1 : 1)
  );
}

function compareTexts(one: string | null, other: string | null): number {
  return collator.compare(one ?? '', other ?? '');
}

/** A die in words. */
export function dieName({ die, lot, wafer, x, y }: DieLabels): string {
  const place = x === null || y === null ? [] : [`at ${x},${y}`];
  return [
    die === null ? 'the die' : `die ${die}`,
    ...(die === null ? place : []),
    ...(wafer === null ? [] : [`of wafer ${wafer}`]),
    ...(lot === null ? [] : [`of lot ${lot}`]),
  ].join(' ');
}
