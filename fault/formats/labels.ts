import { didYouMean, excerpt, InputError, parseDecimal } from '../../core/index.js';
import { isStorageLabel } from '../fault-map.js';
import { type Column, conditionOf, plainName } from './columns.js';
import { type Fields, fieldText } from './fields.js';
import type { Notes } from './notes.js';
import type { Selection } from './read-options.js';

/** Values of a label that are kept. */
const MOST_VALUES = 64;

/** Values of a label that messages show. */
const MOST_SHOWN = 6;

/** The labels of the lines of a table. */
export interface LabelCollector {
  /** Takes the labels of a record; whether the record is among those that are read. */
  take(fields: Fields): boolean;
  /**
   * The values of each label over the records that are read.
   *
   * @param isSplit whether they may be of several dies or voltages
   * @throws InputError when they are and may not be, or no record was selected
   */
  notes(isSplit?: boolean): Notes;
}

interface Label {
  readonly name: string;
  readonly field: number;
  /** The values that were selected; undefined: all. */
  readonly wanted: string | undefined;
  /** The values of the records that are read. */
  readonly values: Set<string>;
  /** What was read last, whether it is wanted, and whether `values` has it: lines of one die follow one another. */
  last: Uint8Array;
  isLastWanted: boolean;
  isLastKept: boolean;
}

/** Whether two texts are the same value: numbers compare as numbers. */
function isSameValue(one: string, other: string): boolean {
  if (one === other) return true;
  const number = parseDecimal(one);
  return number !== undefined && number === parseDecimal(other);
}

function startsWithBytes(
  { bytes, starts, ends }: Fields,
  field: number,
  expected: Uint8Array,
): boolean {
  const start = starts[field];
  if (ends[field] - start !== expected.length) return false;
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}

/** Which label a name of a selection means. */
function isNamed(label: string, name: string): boolean {
  if (plainName(label) === plainName(name)) return true;
  const condition = conditionOf(name);
  return condition !== undefined && condition === conditionOf(label);
}

/**
 * Collects the labels of a table.
 *
 * @throws InputError when a selection names none of them
 */
export function createLabelCollector(
  file: string,
  columns: readonly Column[],
  select: readonly Selection[],
): LabelCollector {
  const labels = columns.flatMap(({ label }, field): Label[] => {
    if (label === undefined) return [];
    const wanted = select.find(({ name }) => isNamed(label, name))?.value;
    const last = new Uint8Array([0]);
    return [
      {
        name: label,
        field,
        wanted,
        values: new Set(),
        last,
        isLastWanted: false,
        isLastKept: false,
      },
    ];
  });
  const names = labels.map(({ name }) => name);
  const unknown = select.find(({ name }) => !names.some((label) => isNamed(label, name)));
  if (unknown !== undefined) {
    const found =
      names.length === 0 ? 'it has no columns of labels' : `its labels are ${names.join(', ')}`;
    throw new InputError(
      `${file}: --select names "${excerpt(unknown.name)}"${didYouMean(unknown.name, names)}, but ${found}.`,
    );
  }
  const seen = new Map(labels.map(({ name }) => [name, new Set<string>()]));
  let selected = 0;

  function isWanted(label: Label, fields: Fields): boolean {
    if (startsWithBytes(fields, label.field, label.last)) return label.isLastWanted;
    const text = fieldText(fields, label.field);
    const before = seen.get(label.name);
    if (before !== undefined && before.size < MOST_VALUES) before.add(text);
    const value = label.wanted === undefined || isSameValue(text, label.wanted);
    label.last = fields.bytes.slice(fields.starts[label.field], fields.ends[label.field]);
    label.isLastWanted = value;
    label.isLastKept = false;
    return value;
  }

  function keep(label: Label): void {
    if (label.isLastKept || label.values.size > MOST_VALUES) return;
    label.isLastKept = true;
    const text = new TextDecoder().decode(label.last);
    if (label.values.has(text)) return;
    if (![...label.values].some((value) => isSameValue(value, text))) label.values.add(text);
  }

  return {
    take(fields) {
      let isTaken = true;
      for (const label of labels) {
        if (!isWanted(label, fields)) isTaken = false;
      }
      if (!isTaken) return false;
      selected += 1;
      for (const label of labels) keep(label);
      return true;
    },
    notes(isSplit = false) {
      if (select.length > 0 && selected === 0) throw nothingSelected();
      const several = labels.filter(
        ({ name, values }) =>
          (conditionOf(name) !== undefined || isStorageLabel(name)) && values.size > 1,
      );
      if (several.length > 0 && !isSplit) throw manyConditions(file, several);
      if (labels.length === 0) return {};
      return {
        labels: Object.fromEntries(labels.map(({ name, values }) => [name, shown(values)])),
      };
    },
  };

  function nothingSelected(): InputError {
    const wanted = select.map(({ name, value }) => `${name}=${value}`).join(',');
    const there = labels
      .filter(({ wanted }) => wanted !== undefined)
      .map(({ name }) => `${name}: ${listOf(seen.get(name) ?? new Set())}`);
    return new InputError(
      `${file}: no line has ${excerpt(wanted)}; there are ${there.join('; ')}.`,
    );
  }
}

/** Values as they are kept: those beyond the most are left out. */
function shown(values: ReadonlySet<string>): string[] {
  return values.size > MOST_VALUES ? [...[...values].slice(0, MOST_VALUES), '…'] : [...values];
}

function listOf(values: ReadonlySet<string>): string {
  const first = [...values].slice(0, MOST_SHOWN).map((value) => excerpt(value));
  return values.size > MOST_SHOWN ? `${first.join(', ')}, …` : first.join(', ');
}

function manyConditions(file: string, labels: readonly Label[]): InputError {
  const found = labels.map(({ name, values }) => `${name} (${listOf(values)})`).join(' and ');
  const example = labels.map(({ name, values }) => `${name}=${[...values][0]}`).join(',');
  return new InputError(
    `${file} holds several maps, for their lines differ in ${found}; --select ${excerpt(example)} takes one.`,
  );
}
