import { excerpt, InputError } from '../../../core/index.js';
import type { Bandwidth, OperandBuffers } from '../../hardware/operands.js';
import type { Dataflow, SystolicArray } from '../../hardware/systolic-array.js';

/** What a SCALE-Sim configuration says about the simulated accelerator. */
export interface ScaleSimConfiguration {
  readonly name: string;
  readonly array: SystolicArray;
  readonly buffers: OperandBuffers;
  /** Undefined in SCALE-Sim's CALC mode: ideal. */
  readonly bandwidth?: Bandwidth;
}

interface Value {
  readonly text: string;
  readonly place: string;
}

/** Values by section and key, both in lower case. */
type Sections = ReadonlyMap<string, ReadonlyMap<string, Value>>;

interface Section {
  readonly name: string;
  readonly values: ReadonlyMap<string, Value>;
  readonly file: string;
}

const DATAFLOWS: Readonly<Record<string, Dataflow>> = {
  os: 'output-stationary',
  ws: 'weight-stationary',
  is: 'input-stationary',
};

/** SCALE-Sim's buffers are in units of 1024 bytes. */
const KILOBYTE = 1024;

const LARGEST_NUMBER = 2 ** 31 - 1;

/**
 * A SCALE-Sim configuration (`.cfg`). Read are, in `[general]`, `run_name`; in `[architecture_presets]`, `ArrayHeight`,
 * `ArrayWidth`, `IfmapSramSzkB`, `FilterSramSzkB`, `OfmapSramSzkB`, `Dataflow` and `Bandwidth`; in `[run_presets]`,
 * `InterfaceBandwidth` (`CALC`: ideal; `USER`: `Bandwidth` words a cycle for each operand, the first if there are
 * several). Address offsets, layouts and other keys change no cycle and are skipped. Keys are not case-sensitive.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column, value and what was expected
 */
export function parseScaleSimConfiguration(text: string, file: string): ScaleSimConfiguration {
  const sections = parseSections(text, file);
  const architecture = sectionNamed(sections, 'architecture_presets', file);
  const run = sectionNamed(sections, 'run_presets', file);
  const name = sections.get('general')?.get('run_name')?.text ?? file;
  const wordsPerCycle = isUserBandwidth(lookUp(run, 'InterfaceBandwidth'))
    ? bandwidthIn(lookUp(architecture, 'Bandwidth'))
    : undefined;
  const size = (key: string) => KILOBYTE * wholeNumber(lookUp(architecture, key));
  return {
    name,
    array: {
      rows: wholeNumber(lookUp(architecture, 'ArrayHeight')),
      columns: wholeNumber(lookUp(architecture, 'ArrayWidth')),
      dataflow: dataflowIn(lookUp(architecture, 'Dataflow')),
    },
    buffers: {
      input: size('IfmapSramSzkB'),
      weights: size('FilterSramSzkB'),
      output: size('OfmapSramSzkB'),
    },
    ...(wordsPerCycle !== undefined && {
      bandwidth: { input: wordsPerCycle, weights: wordsPerCycle, output: wordsPerCycle },
    }),
  };
}

/** INI as Python's configparser reads it: `[section]`, `key = value` or `key: value`, `#` and `;` comments. */
function parseSections(text: string, file: string): Sections {
  const sections = new Map<string, Map<string, Value>>();
  let current: Map<string, Value> | undefined;
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;
    const place = (column: number) => `${file}:${index + 1}:${column + 1}`;
    const start = line.indexOf(content);
    const section = /^\[([^\]]+)\]$/.exec(content);
    if (section !== null) {
      const name = section[1].trim().toLowerCase();
      if (sections.has(name)) {
        throw new InputError(
          `${place(start)}: expected each section once, found "${excerpt(content)}" again.`,
        );
      }
      current = new Map();
      sections.set(name, current);
      continue;
    }
    const separator = content.search(/[=:]/);
    if (separator < 1) {
      throw new InputError(
        `${place(start)}: "${excerpt(content)}", expected [section], key = value or key: value.`,
      );
    }
    if (current === undefined) {
      throw new InputError(
        `${place(start)}: "${excerpt(content)}", expected a [section] before it.`,
      );
    }
    const key = content.slice(0, separator).trim().toLowerCase();
    if (current.has(key)) {
      throw new InputError(
        `${place(start)}: expected each key once, found "${excerpt(key)}" again.`,
      );
    }
    const value = content.slice(separator + 1);
    const blanks = value.length - value.trimStart().length;
    current.set(key, { text: value.trim(), place: place(start + separator + 1 + blanks) });
  }
  return sections;
}

function sectionNamed(sections: Sections, name: string, file: string): Section {
  const values = sections.get(name);
  if (values !== undefined) return { name, values, file };
  throw new InputError(`${file}: expected a section [${name}].`);
}

function lookUp({ name, values, file }: Section, key: string): Value {
  const value = values.get(key.toLowerCase());
  if (value !== undefined) return value;
  throw new InputError(`${file}: expected the key ${key} in [${name}].`);
}

function wholeNumber({ text, place }: Value): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= LARGEST_NUMBER) return value;
  throw new InputError(
    `${place}: "${excerpt(text)}", expected a whole number from 1 to ${LARGEST_NUMBER}.`,
  );
}

function bandwidthIn({ text, place }: Value): number {
  const [first] = text.split(',');
  return wholeNumber({ text: first.trim(), place });
}

function dataflowIn({ text, place }: Value): Dataflow {
  const dataflow = Object.hasOwn(DATAFLOWS, text) ? DATAFLOWS[text] : undefined;
  if (dataflow !== undefined) return dataflow;
  throw new InputError(`${place}: "${excerpt(text)}", expected a dataflow: os, ws or is.`);
}

function isUserBandwidth({ text, place }: Value): boolean {
  if (text === 'USER' || text === 'CALC') return text === 'USER';
  throw new InputError(`${place}: "${excerpt(text)}", expected CALC or USER.`);
}
