import { basename, extname } from 'node:path';
import { InputError, parseDecimal } from '../../core/index.js';
import type { FaultMap } from '../fault-map.js';
import type { FaultModel } from '../model/fault-model.js';

/** Which chip a map was measured on, and at which voltage. */
export interface DieLabel {
  readonly die: string;
  /** In volts; undefined where nothing says it. */
  readonly voltage: number | undefined;
}

/** What stands in a name for each placeholder. */
const PLACEHOLDERS: ReadonlyMap<string, string> = new Map([
  ['die', '.+'],
  ['voltage', String.raw`\d*\.?\d+`],
]);

/**
 * Labels in the names of files, by a pattern such as `{die}_{voltage}V.csv`. Without `{die}` all files are of one die.
 *
 * @throws InputError when the pattern has no placeholder, an unknown one, or one twice
 */
export function dieLabelPattern(pattern: string): (file: string) => DieLabel {
  const names = [...pattern.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name);
  const isKnown = names.every((name) => PLACEHOLDERS.has(name));
  if (names.length === 0 || !isKnown || new Set(names).size < names.length) {
    throw new InputError(
      `--die-labels ${pattern}: expected {die} and {voltage}, each at most once, as in {die}_{voltage}V.csv`,
    );
  }
  const source = pattern
    .split(/\{[^{}]*\}/)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .reduce((whole, text, index) => {
      const name = names[index - 1];
      return `${whole}(?<${name}>${PLACEHOLDERS.get(name)})${text}`;
    });
  const expression = new RegExp(`^${source}$`);
  return (file) => {
    const name = basename(file);
    const found = expression.exec(name)?.groups;
    if (found === undefined) {
      throw new InputError(
        `${file}: "${name}" is not named as --die-labels ${pattern} says; name it so or change the pattern`,
      );
    }
    return { die: found.die ?? '', voltage: voltageOf(found.voltage, file, pattern) };
  };
}

function voltageOf(text: string | undefined, file: string, pattern: string): number | undefined {
  if (text === undefined) return undefined;
  const voltage = parseDecimal(text);
  if (voltage === undefined || !(voltage > 0)) {
    throw new InputError(
      `${file}: --die-labels ${pattern} finds the voltage "${text}"; expected volts such as 0.55`,
    );
  }
  return voltage;
}

/** What a map says itself: a drawn one its seed, number and voltage, another one the name of its file. */
export function ownDieLabel({ provenance }: FaultMap, file: string): DieLabel {
  if (provenance.source === 'file') {
    return { die: basename(file, extname(file)), voltage: undefined };
  }
  const { model, seed, trial, rate } = provenance;
  return { die: `seed ${seed}, map ${trial}`, voltage: drawnAt(model, rate) };
}

/** The voltage for which the table of a model has a rate. */
function drawnAt(model: FaultModel, rate: number): number | undefined {
  if (model.model !== 'voltage') return undefined;
  return model.table.find((point) => point.rate === rate)?.voltage;
}
