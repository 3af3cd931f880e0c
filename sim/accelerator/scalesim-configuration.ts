import { excerpt, InputError } from '../../core/index.js';
import type { Bandwidth, OperandBuffers } from '../hardware/operands.js';
import type { Dataflow, SystolicArray } from '../hardware/systolic-array.js';
import { type IniSections, type IniValue, parseIni } from './ini.js';

/** What a SCALE-Sim configuration says about the simulated accelerator: nothing of its weight memory. */
export interface ScaleSimConfiguration {
  readonly name: string;
  readonly array: SystolicArray;
  readonly buffers: OperandBuffers;
  /** Undefined in SCALE-Sim's CALC mode: ideal. */
  readonly bandwidth?: Bandwidth;
  /** Whether it says that sparsity is off: then v3 takes no notice of the ratios in a topology. */
  readonly sparsityIsOff: boolean;
  /** What is on and changes no cycle, but would change something else, and keys that are not known. */
  readonly warnings: readonly string[];
}

interface Section {
  readonly name: string;
  readonly values: ReadonlyMap<string, IniValue>;
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

/** Words a cycle of inputs and of weights where a file of v3 has no section [layout] (`scale_config.py`). */
const DEFAULT_BANK_BANDWIDTH = 10;

/** Keys that v2 or v3 know, whether they are read here or change no cycle. */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  general: ['run_name'],
  architecture_presets: [
    ...['ArrayHeight', 'ArrayWidth', 'IfmapSramSzkB', 'FilterSramSzkB', 'OfmapSramSzkB'],
    ...['IfmapOffset', 'FilterOffset', 'OfmapOffset', 'Dataflow', 'Bandwidth', 'MemoryBanks'],
    ...['ReadRequestBuffer', 'WriteRequestBuffer'],
  ],
  layout: [
    ...['IfmapCustomLayout', 'IfmapSRAMBankBandwidth', 'IfmapSRAMBankNum', 'IfmapSRAMBankPort'],
    ...['FilterCustomLayout', 'FilterSRAMBankBandwidth', 'FilterSRAMBankNum', 'FilterSRAMBankPort'],
  ],
  sparsity: [
    ...['SparsitySupport', 'SparseRep', 'OptimizedMapping', 'BlockSize', 'NonZeroElems'],
    'RandomNumberGeneratorSeed',
  ],
  network_presets: ['TopologyCsvLoc', 'LayoutCsvLoc'],
  run_presets: ['InterfaceBandwidth', 'UseRamulatorTrace', 'TimeLinearModel'],
};

/**
 * A configuration (`.cfg`) of SCALE-Sim v2 or v3. Read are, in `[general]`, `run_name`; in `[architecture_presets]`,
 * `ArrayHeight`, `ArrayWidth`, `IfmapSramSzkB`, `FilterSramSzkB`, `OfmapSramSzkB`, `Dataflow` and `Bandwidth`; in
 * `[run_presets]`, `InterfaceBandwidth`: `CALC` is ideal; with `USER`, a file of v2 moves `Bandwidth` words a cycle of
 * each operand, one of v3 `IfmapSRAMBankBandwidth` inputs, `FilterSRAMBankBandwidth` weights and `Bandwidth` outputs
 * (`[layout]`). Of several bandwidths the first counts. Address offsets, numbers of banks and ports and sizes of
 * request queues change no cycle. Keys are not case-sensitive. Sources: `scale_config.py` and `single_layer_sim.py` of
 * https://github.com/scalesim-project/SCALE-Sim.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column, value and what was expected, for features, too, that are on and change
 *   cycles but are not simulated: sparsity, custom layouts, traces of Ramulator
 */
export function parseScaleSimConfiguration(text: string, file: string): ScaleSimConfiguration {
  const sections = parseIni(text, file);
  const architecture = sectionNamed(sections, 'architecture_presets', file);
  const run = sectionNamed(sections, 'run_presets', file);
  const name = sections.get('general')?.get('run_name')?.text ?? file;
  requireSimulated(sections, file);
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
    ...(isUserBandwidth(lookUp(run, 'InterfaceBandwidth')) && {
      bandwidth: userBandwidth(sections, architecture, file),
    }),
    sparsityIsOff: sections.has('sparsity'),
    warnings: [...timeModelWarnings(sections), ...unknownKeys(sections)],
  };
}

/** What the ports move in USER mode; v2 has one bandwidth for all of them. */
function userBandwidth(sections: IniSections, architecture: Section, file: string): Bandwidth {
  const output = firstNumber(lookUp(architecture, 'Bandwidth'));
  if (sections.has('layout')) {
    const layout = sectionNamed(sections, 'layout', file);
    return {
      input: wholeNumber(lookUp(layout, 'IfmapSRAMBankBandwidth')),
      weights: wholeNumber(lookUp(layout, 'FilterSRAMBankBandwidth')),
      output,
    };
  }
  return isVersion3(sections)
    ? { input: DEFAULT_BANK_BANDWIDTH, weights: DEFAULT_BANK_BANDWIDTH, output }
    : { input: output, weights: output, output };
}

/** Whether a file without a section [layout] has what only v3 knows. */
function isVersion3(sections: IniSections): boolean {
  const run = sections.get('run_presets');
  const own = ['useramulatortrace', 'timelinearmodel'];
  return sections.has('sparsity') || own.some((key) => run?.has(key));
}

/** @throws InputError where something that changes cycles is on and not simulated */
function requireSimulated(sections: IniSections, file: string): void {
  if (sections.has('sparsity')) {
    const sparsity = sectionNamed(sections, 'sparsity', file);
    requireOff('SparsitySupport', lookUp(sparsity, 'SparsitySupport'), 'sparsity is');
  }
  if (sections.has('layout')) {
    const layout = sectionNamed(sections, 'layout', file);
    for (const key of ['IfmapCustomLayout', 'FilterCustomLayout']) {
      requireOff(key, lookUp(layout, key), 'custom layouts are');
    }
  }
  const ramulator = sections.get('run_presets')?.get('useramulatortrace');
  if (ramulator) requireOff('UseRamulatorTrace', ramulator, 'memory traces of Ramulator are');
}

function requireOff(key: string, { text, place }: IniValue, features: string): void {
  const value = text.toLowerCase();
  if (['false', 'no', 'off', '0'].includes(value)) return;
  if (['true', 'yes', 'on', '1'].includes(value)) {
    throw new InputError(
      `${place}: ${key} is "${excerpt(text)}", expected False: ${features} not simulated.`,
    );
  }
  throw new InputError(`${place}: ${key} is "${excerpt(text)}", expected False or True.`);
}

/** v3's linear model turns cycles into microseconds. */
function timeModelWarnings(sections: IniSections): string[] {
  const model = sections.get('run_presets')?.get('timelinearmodel');
  if (model === undefined || model.text === 'None') return [];
  return [
    `${model.place}: TimeLinearModel "${excerpt(model.text)}" is not simulated: there are cycles, but no microseconds.`,
  ];
}

function unknownKeys(sections: IniSections): string[] {
  return [...sections].flatMap(([section, values]) => {
    const known = new Set(
      (Object.hasOwn(KNOWN_KEYS, section) ? KNOWN_KEYS[section] : []).map((key) =>
        key.toLowerCase(),
      ),
    );
    return [...values]
      .filter(([key]) => !known.has(key))
      .map(
        ([, { key, keyPlace }]) =>
          `${keyPlace}: ${excerpt(key)} in [${excerpt(section)}] is no key of SCALE-Sim v2 or v3 and is not simulated.`,
      );
  });
}

function sectionNamed(sections: IniSections, name: string, file: string): Section {
  const values = sections.get(name);
  if (values !== undefined) return { name, values, file };
  throw new InputError(`${file}: expected a section [${name}].`);
}

function lookUp({ name, values, file }: Section, key: string): IniValue {
  const value = values.get(key.toLowerCase());
  if (value !== undefined) return value;
  throw new InputError(`${file}: expected the key ${key} in [${name}].`);
}

function wholeNumber({ text, place }: IniValue): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= LARGEST_NUMBER) return value;
  throw new InputError(
    `${place}: "${excerpt(text)}", expected a whole number from 1 to ${LARGEST_NUMBER}.`,
  );
}

function firstNumber({ text, place }: IniValue): number {
  const [first] = text.split(',');
  return wholeNumber({ text: first.trim(), place });
}

function dataflowIn({ text, place }: IniValue): Dataflow {
  const dataflow = Object.hasOwn(DATAFLOWS, text) ? DATAFLOWS[text] : undefined;
  if (dataflow !== undefined) return dataflow;
  throw new InputError(`${place}: "${excerpt(text)}", expected a dataflow: os, ws or is.`);
}

function isUserBandwidth({ text, place }: IniValue): boolean {
  if (text === 'USER' || text === 'CALC') return text === 'USER';
  throw new InputError(`${place}: "${excerpt(text)}", expected CALC or USER.`);
}
