export * from './activation-side.js';
export * from './activations/clip.js';
export * from './catalogue.js';
export * from './memory/index.js';
export {
  type ActivationPart,
  activationKeyOf,
  activationPartOf,
  type Mitigation,
  type MitigationPart,
  memoryPartsOf,
  mitigationInput,
  NO_MITIGATION,
  type PartDefaults,
  UNPROTECTED,
  withoutDefaults,
} from './mitigation.js';
export { createPricing, type PricedPlace, type Pricing } from './mitigation-price.js';
export { mitigationInputSchema, mitigationSchema, parseMitigation } from './parse.js';
export {
  loadPriceFigures,
  type PriceFigure,
  type PriceFigures,
  priceFiguresJsonSchema,
} from './price/figures.js';
export type { Missing, OrMissing } from './price/missing.js';
export {
  type AddedCells,
  type PartPrice,
  PRICE_COMPONENTS,
  PRICE_OF_NOTHING,
  type Price,
  type PriceComponent,
  type Registers,
  unknownPrice,
  type WordCells,
  type XorGates,
} from './price/price.js';
export * from './search/index.js';
export * from './thresholds/distribution.js';
export * from './thresholds/granularity.js';
export * from './thresholds/layer-threshold.js';
export * from './thresholds/profile.js';
export * from './thresholds/thresholds.js';
export * from './thresholds/tuning-record.js';
