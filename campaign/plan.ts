import type { WordFormat } from '../models/index.js';
import { ratesOf, type Study } from './study.js';
import type { Trial } from './trial.js';

/**
 * The trials of a study, in an order that mixes formats and rates, so that the time left can be told
 * early. Every map has a fault-free trial per format: the clean accuracy on its images.
 *
 * @param mapRate the rate of the study's own fault map, if it has one
 */
export function planTrials(study: Study, mapRate?: number): Trial[] {
  const trials: Trial[] = [];
  for (let map = 0; map < study.maps; map += 1) {
    for (const format of study.formats) {
      const rates = pointRates(study, format, mapRate);
      const mitigations = rates.includes(0) ? withNone(study.mitigations) : (['none'] as const);
      trials.push({ format, rate: 0, map, mitigations });
      for (const rate of rates.filter((value) => value > 0)) {
        trials.push({ format, rate, map, mitigations: study.mitigations });
      }
    }
  }
  return trials;
}

/** The fault rates that get a row in the result. */
export function pointRates(study: Study, format: WordFormat, mapRate?: number): readonly number[] {
  return mapRate === undefined ? ratesOf(study, format) : [mapRate];
}

/** A name for a trial that is unique in its study. */
export function trialKey({ format, rate, map }: Trial): string {
  return `${format} ${rate} ${map}`;
}

function withNone(mitigations: Study['mitigations']): Study['mitigations'] {
  return mitigations.includes('none') ? mitigations : ['none', ...mitigations];
}
