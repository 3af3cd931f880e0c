import { InputError } from '../../core/index.js';
import { rateAtVoltage } from '../../fault/index.js';
import type { WordFormat } from '../../models/index.js';
import { type FaultSource, type FaultState, faultSourceName } from './fault-source.js';
import { MOST_CONDITIONS } from './scope.js';
import { ratesOf, type Study } from './study.js';

/** One combination of a study's axes but the mitigations, which share its fault maps and images. */
export interface Condition {
  /** Its place in the order of the study. */
  readonly index: number;
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  /** What is broken: see `storagesOf`. */
  readonly storage: string;
  readonly source: FaultSource;
  /** An expanded scope. */
  readonly scope: string;
  /** Share of the cells in scope that are faulty. */
  readonly rate: number;
  /** Supply voltage in volts, where that says the rate. */
  readonly voltage?: number | undefined;
  /** Faults a map, where the study says so instead of a rate. */
  readonly faultCount?: number | undefined;
}

/** One network, in a word format, in the weight memory of an accelerator. */
export interface PlacedNetwork {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
}

/** The storages of a placed network that are broken at once. */
export interface PlacedStorages extends PlacedNetwork {
  /** See `storagesOf`. */
  readonly storage: string;
}

/** What the conditions of a study depend on besides the study. */
export interface PlanOptions {
  readonly sources: readonly FaultSource[];
  /** The expanded scopes of placed storages. */
  readonly scopesOf: (placed: PlacedStorages) => readonly string[];
  /** Number of cells of an expanded scope. */
  readonly cellsOf: (placed: PlacedStorages, scope: string) => number;
  /** Number of places in an expanded scope that a transient fault may strike in an image. */
  readonly sitesOf: (placed: PlacedStorages, scope: string) => number;
  /** Share of the cells in scope that a fault map file breaks. */
  readonly rateOfMap: (file: string, placed: PlacedStorages, scope: string) => number;
  /** The voltages at which dies were measured, falling, and the mean share of the cells that are faulty there. */
  readonly levelsOfDies: (placed: PlacedNetwork) => readonly FaultState[];
}

/**
 * The conditions of a study, in its order.
 *
 * @throws InputError when an axis of the study has no fault model to belong to, or asks for what a model cannot give
 */
export function planConditions(study: Study, options: PlanOptions): Condition[] {
  requireUsedAxes(study, options.sources);
  const placedNetworks = study.models.flatMap((model) =>
    study.formats.flatMap((format) =>
      study.accelerators.flatMap((accelerator) =>
        study.storages.map((storage) => ({ model, format, accelerator, storage })),
      ),
    ),
  );
  const conditions: Omit<Condition, 'index'>[] = [];
  for (const placed of placedNetworks) {
    const scopes = options.scopesOf(placed);
    for (const source of options.sources) {
      for (const scope of scopes) {
        const levels = levelsOf(study, source, placed, scope, options);
        if (conditions.length + levels.length > MOST_CONDITIONS) {
          throw new InputError(
            `study: more than ${MOST_CONDITIONS} combinations of models, formats, accelerators, storages, faults, scopes and rates: divide it into several studies.`,
          );
        }
        for (const level of levels) conditions.push({ ...placed, source, scope, ...level });
      }
    }
  }
  return conditions.map((condition, index) => ({ index, ...condition }));
}

/** How many cells fail in the conditions of one fault source and scope. */
function levelsOf(
  study: Study,
  source: FaultSource,
  placed: PlacedStorages,
  scope: string,
  options: PlanOptions,
): readonly (FaultState & Pick<Condition, 'faultCount'>)[] {
  const { rateOfMap, levelsOfDies } = options;
  if (source.kind === 'none') return [{ rate: 0 }];
  if (source.kind === 'dies') return levelsOfDies(placed);
  if (source.kind === 'file') return [{ rate: rateOfMap(source.file, placed, scope) }];
  const cellsOf = source.kind === 'transient' ? options.sitesOf : options.cellsOf;
  const countLevels = (counts: readonly number[]) => {
    const cells = cellsOf(placed, scope);
    return counts.map((faultCount) => ({
      rate: rateOfCount(faultCount, cells, scope),
      faultCount,
    }));
  };
  if (source.state === 'exhaustive') return countLevels([1]);
  if (source.state) {
    return 'count' in source.state ? countLevels([source.state.count]) : [source.state];
  }
  const table = tableOf(source);
  if (table && usesVoltages(study)) {
    const voltages = study.voltages ?? table.map(({ voltage }) => voltage);
    return voltages.map((voltage) => ({ rate: rateAtVoltage(table, voltage), voltage }));
  }
  if (study.faultCounts) return countLevels(study.faultCounts);
  return ratesOf(study, placed.format).map((rate) => ({ rate }));
}

function tableOf(source: FaultSource) {
  return source.kind === 'model' && source.model.model === 'voltage'
    ? source.model.table
    : undefined;
}

function usesVoltages({ voltages, rates, faultCounts }: Study): boolean {
  return voltages !== undefined || (rates === undefined && faultCounts === undefined);
}

/**
 * The rate of a number of faults: the smallest whose product with the cells is not below it, so that no random draw
 * takes part in rounding it.
 *
 * @throws InputError when there are fewer cells
 */
function rateOfCount(count: number, cells: number, scope: string): number {
  if (count > cells) {
    throw new InputError(
      `study: faultCounts: ${count} faults, but scope ${scope} has ${cells} cells`,
    );
  }
  const rate = count / cells;
  return rate * cells < count ? rate * (1 + Number.EPSILON) : rate;
}

/** @throws InputError when the study has rates, voltages or fault counts that none of its fault sources takes */
function requireUsedAxes(study: Study, sources: readonly FaultSource[]): void {
  const free = sources.filter(
    (source) =>
      (source.kind === 'model' || source.kind === 'transient') && source.state === undefined,
  );
  const byVoltage = free.filter(tableOf);
  if (study.voltages && byVoltage.length === 0) {
    throw new InputError(
      'study: voltages are given, but no fault model has rates for voltages: choose a preset such as kc705-b, or a fault-model file with a table',
    );
  }
  const axis = study.rates ? 'rates' : 'faultCounts';
  const others = usesVoltages(study) ? free.length - byVoltage.length : free.length;
  if (study[axis] && others === 0) {
    throw new InputError(`study: ${axis} are given, but every fault model has rates of its own`);
  }
  const uneven = free.find(
    (source) => source.kind === 'model' && placesOf(source).model !== 'uniform',
  );
  if (study.faultCounts && uneven && !(study.voltages && tableOf(uneven))) {
    throw new InputError(
      `study: faultCounts need uniform faults, but ${faultSourceName(uneven)} draws its own number: give rates`,
    );
  }
}

function placesOf({ model }: Extract<FaultSource, { kind: 'model' }>) {
  return model.model === 'voltage' ? model.places : model;
}
