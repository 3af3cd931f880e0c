import { parseDecimal } from '../../core/index.js';
import { type Column, type ConditionLabels, type ConditionName, conditionOf } from './columns.js';
import type { FaultLog } from './fault-log.js';
import { type Fields, fieldText } from './fields.js';

/** A die at a voltage, with the log of its faults. */
export interface Part {
  readonly labels: ConditionLabels;
  readonly log: FaultLog;
}

/** The logs of the dies and voltages that a table holds. */
export interface Parts {
  /** The part of a record, which is there from its first record on. */
  of(fields: Fields): Part;
  /** In the order of their first records. */
  all(): readonly Part[];
}

/** The labels that are numbers, of which 0.6 and 0.60 are the same. */
const NUMBERS: readonly ConditionName[] = ['x', 'y', 'voltage'];

/**
 * A part for each combination of the labels that tell measured maps apart; without such columns there is one, also of
 * no record.
 *
 * @param createLog an empty log
 */
export function createParts(columns: readonly Column[], createLog: () => FaultLog): Parts {
  const labelled = columns.flatMap(({ label }, field) => {
    const name = label === undefined ? undefined : conditionOf(label);
    return name === undefined ? [] : [{ name, field }];
  });
  const parts = new Map<string, Part>();
  if (labelled.length === 0) parts.set(JSON.stringify([]), { labels: {}, log: createLog() });
  return {
    of(fields) {
      const values = labelled.map(({ name, field }) => [name, fieldText(fields, field)] as const);
      const key = JSON.stringify(values.map(([name, text]) => sameValue(name, text)));
      const found = parts.get(key);
      if (found !== undefined) return found;
      const labels = Object.fromEntries(values.filter(([, text]) => text !== ''));
      const part = { labels, log: createLog() };
      parts.set(key, part);
      return part;
    },
    all: () => [...parts.values()],
  };
}

function sameValue(name: ConditionName, text: string): string | number {
  return (NUMBERS.includes(name) ? parseDecimal(text) : undefined) ?? text;
}
