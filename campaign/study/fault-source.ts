import { z } from 'zod';
import { InputError, parseDecimal } from '../../core/index.js';
import {
  type CellGeometry,
  cellCount,
  dataCellCount,
  dataGeometry,
  dataIndexOfCell,
  FAULT_PRESETS,
  type FaultBuffers,
  type FaultMap,
  type FaultModel,
  type FaultModelInput,
  faultModelSchema,
  faultPreset,
  faultsOfMap,
  MODEL_FAULTS,
  nestedFaultMaps,
  parseFaultModel,
  presetPoint,
  readFaultModel,
} from '../../fault/index.js';
import type { Scope } from './scope.js';

/** A model that faults are drawn from. */
export interface ModelSource {
  readonly kind: 'model';
  /** As the study names it. */
  readonly name: string;
  readonly model: FaultModel;
  /** Of a preset's published state, which takes the place of the study's rates. */
  readonly state?: FaultState | undefined;
}

/** Where the faults of a condition come from. */
export type FaultSource =
  | ModelSource
  | { readonly kind: 'file'; readonly file: string }
  | TransientSource
  /** Measured dies; map number k is that of die k at the voltage of the condition. */
  | { readonly kind: 'dies'; readonly name: string }
  /** No fault: what dies are compared with. */
  | { readonly kind: 'none' };

/** Bits that are inverted at one moment, drawn for each image. */
export interface TransientSource {
  readonly kind: 'transient';
  /** As the study names it. */
  readonly name: string;
  /**
   * Share of the places that are struck in each image, or how many; `exhaustive`: map k strikes place k, once in each
   * image, and there are as many maps as places; undefined: the study says it.
   */
  readonly state?:
    | { readonly rate: number }
    | { readonly count: number }
    | 'exhaustive'
    | undefined;
}

/** The name of the source without faults. */
const FAULT_FREE = 'fault-free';

/** How many cells fail, and at which voltage if that says it. */
export interface FaultState {
  readonly rate: number;
  /** In volts. */
  readonly voltage?: number | undefined;
}

/** A fault source in a word, for tables and results. */
export function faultSourceName(source: FaultSource): string {
  switch (source.kind) {
    case 'file':
      return source.file;
    case 'none':
      return FAULT_FREE;
    default:
      return source.name;
  }
}

/** Whether the maps of a source are a sample of maps; a given one is not, only its images are. */
export function isSample(source: FaultSource): boolean {
  return source.kind === 'transient'
    ? source.state !== 'exhaustive'
    : source.kind === 'model' || source.kind === 'dies';
}

const MODEL_FILE = /\.(ya?ml|json)$/i;
const KINDS: readonly string[] = MODEL_FAULTS;
const PRESETS: readonly string[] = FAULT_PRESETS.map(({ name }) => name);

/** The word for transient faults. */
const TRANSIENT = 'transient';

/**
 * Fault models as users write them: what faulty cells do (uniform faults); a preset, which has a voltage for each
 * rate; a published state of a preset, PRESET@0.55V or PRESET@0.02744; or a fault-model file.
 */
const FAULTS_PATTERN = new RegExp(
  `^(${KINDS.join('|')}|${TRANSIENT}|(${PRESETS.join('|')})(@.+)?|.+\\.(ya?ml|json))$`,
);

const WORDS_FOR_FAULTS =
  'flip, stuck-at, stuck-at-0, stuck-at-1, transient, a preset such as kc705-b or stutz-chip-1@0.02744, or a fault-model file (.yaml)';

/** Transient faults: a share of all places in each image, or so many of them; or one map for each place. */
const transientSchema = z.strictObject({
  transient: z.union([
    z.strictObject({ rate: z.number().min(0).max(1) }),
    z.strictObject({ count: z.int().min(0).max(1_000_000) }),
    z.literal('exhaustive'),
  ]),
});

type Transient = z.output<typeof transientSchema>;

/** Whether a fault model of a study is of transient faults. */
export function isTransient(faults: string | Transient | FaultModelInput): boolean {
  return faults === TRANSIENT || (typeof faults !== 'string' && 'transient' in faults);
}

/** Whether a fault model of a study says how many transient faults an image has. */
export function hasCount(faults: string | Transient | FaultModelInput): boolean {
  if (typeof faults === 'string' || !('transient' in faults)) return false;
  return typeof faults.transient === 'object' && 'count' in faults.transient;
}

/** Whether a fault model of a study strikes every place once. */
export function isExhaustive(faults: string | Transient | FaultModelInput): boolean {
  return typeof faults !== 'string' && 'transient' in faults && faults.transient === 'exhaustive';
}

/** A fault model as a study gives it: in a word, or itself. */
export const faultsSchema = z.union(
  [
    z.string().regex(FAULTS_PATTERN, `expected ${WORDS_FOR_FAULTS}`),
    transientSchema,
    faultModelSchema,
  ],
  { error: ({ input }) => problemOfFaults(input) },
);

/** What is wrong with a fault model that is neither a known word nor valid. */
function problemOfFaults(input: unknown): string {
  if (typeof input === 'string') {
    return `expected ${WORDS_FOR_FAULTS}`;
  }
  if (typeof input === 'object' && input !== null && 'transient' in input) {
    return 'expected {transient: {rate: RATE}} with a rate from 0 to 1, {transient: {count: NUMBER}} or {transient: exhaustive}';
  }
  try {
    parseFaultModel(input, 'a fault model');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return `expected ${WORDS_FOR_FAULTS}`;
}

/** The files among the fault models of a study. */
export function faultModelFiles(
  faults: readonly (string | Transient | FaultModelInput)[],
): string[] {
  return faults.filter((name) => typeof name === 'string' && isFile(name)) as string[];
}

function isFile(name: string): boolean {
  return MODEL_FILE.test(name) && !KINDS.includes(name);
}

/**
 * A fault model as a study gives it.
 *
 * @throws InputError when a preset has no such state, or a file or model is wrong
 */
export function faultSourceOf(
  faults: string | Transient | FaultModelInput,
): ModelSource | TransientSource {
  if (faults === TRANSIENT) return { kind: 'transient', name: TRANSIENT };
  if (typeof faults !== 'string') {
    const name = JSON.stringify(faults);
    if ('transient' in faults) return { kind: 'transient', name, state: faults.transient };
    return { kind: 'model', name, model: parseFaultModel(faults, 'study: faults') };
  }
  if (KINDS.includes(faults)) {
    const model = parseFaultModel({ model: 'uniform', faults }, 'study: faults');
    return { kind: 'model', name: faults, model };
  }
  if (isFile(faults)) return { kind: 'model', name: faults, model: readFaultModel(faults) };
  return presetSource(faults);
}

function presetSource(name: string): ModelSource {
  const [presetName, stateText] = name.split('@');
  const preset = faultPreset(presetName);
  if (stateText === undefined) {
    if (preset.faults.by === 'voltage') return { kind: 'model', name, model: preset.faults.model };
    const states = preset.faults.points.map(({ rate }) => `${presetName}@${rate}`).join(', ');
    throw new InputError(`study: faults: ${name} has published states: give one of ${states}`);
  }
  const isVoltage = /V$/i.test(stateText);
  const value = parseDecimal(isVoltage ? stateText.slice(0, -1) : stateText);
  if (value === undefined) {
    throw new InputError(
      `study: faults: ${name}: expected a voltage such as ${presetName}@0.55V or a rate such as ${presetName}@0.02744`,
    );
  }
  const state = isVoltage ? { voltage: value } : { rate: value };
  const { model, rate } = presetPoint(preset, state);
  return { kind: 'model', name, model, state: { ...state, rate } };
}

/** What the fault maps of conditions that differ by their rates alone depend on. */
export interface FaultMapsRequest {
  readonly source: Exclude<FaultSource, { readonly kind: 'dies' }>;
  readonly geometry: CellGeometry;
  readonly scope: Scope;
  readonly seed: number;
  /** Number of the map. */
  readonly map: number;
  /** The map of a file, for this memory. */
  readonly readMap: (file: string) => FaultMap;
}

/**
 * A fault map of a condition at a rate, the share of the cells of the scope that are faulty: of a file, which has a
 * rate of its own, the faults that lie in the scope; else drawn from the model. Uniform faults are drawn from the cells
 * of the scope, numbered as if they were a memory of their own, so their number follows the rate as it does for a whole
 * memory, and maps of one scope are nested in the rate.
 */
export function trialFaultMap(request: FaultMapsRequest & { readonly rate: number }): FaultMap {
  return trialFaultMaps(request)(request.rate);
}

export type FaultMapsAtRate = (rate: number) => FaultMap;

/**
 * `trialFaultMap` as a function of the rate, for several rates one after the other: cheapest if they ascend.
 *
 * @param buffers memory to draw in; each map is then valid until the next one is drawn with them
 */
export function trialFaultMaps(request: FaultMapsRequest, buffers?: FaultBuffers): FaultMapsAtRate {
  const { source, geometry, scope, seed, map, readMap } = request;
  if (source.kind === 'file') {
    const { file } = source;
    return () => restrictFaultMap(readMap(file), scope);
  }
  if (source.kind === 'none' || source.kind === 'transient') return () => emptyFaultMap(geometry);
  const whole = scope.count === dataCellCount(geometry);
  return nestedFaultMaps(source.model, geometry, seed, map, whole ? undefined : scope, buffers);
}

/** A map without a fault. */
function emptyFaultMap(geometry: CellGeometry): FaultMap {
  const provenance = { source: 'file', file: FAULT_FREE } as const;
  return { geometry, cells: new Float64Array(0), kinds: new Uint8Array(0), provenance };
}

/** The probability that a fault is active while an image passes; undefined: faults are permanent. */
export function activeProbabilityOf(source: FaultSource): number | undefined {
  return source.kind === 'model' ? source.model.activeProbability : undefined;
}

/** The faults of a map that lie in a scope; all of them if that is the whole memory. */
export function restrictFaultMap(map: FaultMap, scope: Scope): FaultMap {
  if (scope.count === dataCellCount(map.geometry)) return map;
  const inside = Uint32Array.from(map.cells.keys()).filter((position) => {
    const index = dataIndexOfCell(map.geometry, map.cells[position]);
    return index !== undefined && scope.has(index);
  });
  if (inside.length === map.cells.length) return map;
  return {
    ...map,
    cells: Float64Array.from(inside, (position) => map.cells[position]),
    kinds: Uint8Array.from(inside, (position) => map.kinds[position]),
  };
}

/** Faulty data cells of a map: check and spare cells are left out. */
export function dataFaults(map: FaultMap): number {
  const { geometry } = map;
  if (dataCellCount(geometry) === cellCount(geometry)) return faultsOfMap(map);
  const { cells } = map;
  const data = dataGeometry(geometry);
  let count = 0;
  let lineEnd = 0;
  let dataEnd = 0;
  for (let fault = 0; fault < cells.length; fault++) {
    const cell = cells[fault];
    // The cells ascend.
    if (cell >= lineEnd) {
      const line = Math.floor(cell / geometry.columns);
      lineEnd = (line + 1) * geometry.columns;
      // Not by a remainder, which takes several times as long.
      const isDataRow = line - Math.floor(line / geometry.rows) * geometry.rows < data.rows;
      dataEnd = line * geometry.columns + (isDataRow ? data.columns : 0);
    }
    if (cell < dataEnd) count += 1;
  }
  return count;
}
