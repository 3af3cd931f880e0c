import type { Mitigation } from '../mitigation/index.js';
import type { WordFormat } from '../models/index.js';
import { type FaultSource, faultSourceName } from './fault-source.js';
import { ratesOf, type Study } from './study.js';

/** One combination of a study's axes but the mitigations, which share its fault maps and images. */
export interface Condition {
  /** Its place in the order of the study. */
  readonly index: number;
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  readonly source: FaultSource;
  /** An expanded scope. */
  readonly scope: string;
  /** Share of the cells in scope that are faulty. */
  readonly rate: number;
}

/** What a point is, in words and numbers: a condition with a mitigation. */
export interface PointKey {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  /** A fault model, or a fault map file. */
  readonly faultModel: string;
  readonly scope: string;
  readonly mitigation: Mitigation;
  readonly rate: number;
}

export function pointKey(condition: Condition, mitigation: Mitigation): PointKey {
  const { model, format, accelerator, source, scope, rate } = condition;
  const faultModel = faultSourceName(source);
  return { model, format, accelerator, faultModel, scope, mitigation, rate };
}

/** One network, in a word format, in the weight memory of an accelerator. */
export interface PlacedNetwork {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
}

/**
 * The conditions of a study, in its order.
 *
 * @param scopesOf the expanded scopes of a placed network
 * @param rateOfMap share of the cells in scope that a fault map file breaks
 */
export function planConditions(
  study: Study,
  scopesOf: (placed: PlacedNetwork) => readonly string[],
  rateOfMap: (file: string, placed: PlacedNetwork, scope: string) => number,
): Condition[] {
  const placedNetworks = study.models.flatMap((model) =>
    study.formats.flatMap((format) =>
      study.accelerators.map((accelerator) => ({ model, format, accelerator })),
    ),
  );
  const conditions = placedNetworks.flatMap((placed) =>
    sourcesOf(study).flatMap((source) =>
      scopesOf(placed).flatMap((scope) => {
        const rates =
          source.kind === 'file'
            ? [rateOfMap(source.file, placed, scope)]
            : ratesOf(study, placed.format);
        return rates.map((rate) => ({ ...placed, source, scope, rate }));
      }),
    ),
  );
  return conditions.map((condition, index) => ({ index, ...condition }));
}

function sourcesOf({ faultMaps, faults }: Study): FaultSource[] {
  if (faultMaps) return faultMaps.map((file) => ({ kind: 'file', file }));
  return faults.map((kind) => ({ kind: 'uniform', faults: kind }));
}
