import { InputError } from '../../core/index.js';
import { knowledgeOf, memoryPartsOf } from '../../mitigation/index.js';
import type { PlacedDies } from '../inputs/dies/index.js';
import type { FaultSource } from '../study/fault-source.js';
import type { Study } from '../study/study.js';
import { dieAtVoltage, rateOfKnowledge } from './known-maps.js';

/** @throws InputError where a part knows the faulty cells of another voltage, and a fault source has none */
export function requireKnowable(study: Study, sources: readonly FaultSource[]): void {
  forEachKnownVoltage(study, (voltage) => {
    for (const source of sources) {
      if (source.kind === 'model' || source.kind === 'file') rateOfKnowledge(source, voltage);
    }
  });
}

/** @throws InputError where a part knows a voltage at which a die was not measured */
export function requireMeasured(study: Study, dies: ReadonlyMap<string, PlacedDies>): void {
  forEachKnownVoltage(study, (voltage) => {
    for (const placed of dies.values()) {
      for (const level of placed.levels) {
        for (const die of level.dies) dieAtVoltage(placed, die, voltage);
      }
    }
  });
}

/** Checks the voltages that parts know; the InputError of a check gets the name of the mitigation. */
function forEachKnownVoltage({ mitigations }: Study, check: (voltage: number) => void): void {
  for (const mitigation of mitigations) {
    for (const knows of memoryPartsOf(mitigation).map(knowledgeOf)) {
      if (!knows || 'share' in knows) continue;
      try {
        check(knows.voltage);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw new InputError(`study: mitigation ${mitigation.name}: ${error.message}`, {
          cause: error,
        });
      }
    }
  }
}
