export { type BchDataBits, type BchDecPart, bchDecCode, shortenedBch } from './bch-dec.js';
export { bitCost, type WeightBits, wrongBitsCost } from './bit-costs.js';
export { CEP_CHUNKS, type CepChunk, type CepPart, cepCode } from './cep.js';
export * from './closest-value.js';
export {
  type FeatureMapSide,
  featureMapSideOf,
  type PlacedFeatureMaps,
} from './feature-map-side.js';
export { decodeFloat32Word, encodeFloat32Word, type Float32Code } from './float32-code.js';
export { type CodeGates, gatesOf } from './gates.js';
export type { HardenPart } from './harden.js';
export {
  decodeInPlace,
  encodeInPlace,
  type InPlaceEccPart,
  throttleInPlace,
} from './in-place-ecc.js';
export {
  chooseInversion,
  chooseReadableInversion,
  type InversionGroup,
} from './inversion-flags.js';
export * from './invert.js';
export type { Knowledge, KnownMaps, PartKnowledge } from './knowledge.js';
export { checkBitsOf, DETECTED, decodeWord, type LinearCode } from './linear-code.js';
export type { OnDetect } from './linear-word-code.js';
export { knowledgeOf } from './map-views.js';
export { type FaultyWords, type MaskedUnits, type MaskingUnit, maskUnits } from './mask-units.js';
export type { MemoryMechanism, PartGroup, PartPlace } from './mechanism.js';
export { MECHANISMS, type MemoryPart, mechanismOf } from './mechanisms.js';
export { type MemoryNeeds, memoryNeeds, unmeasuredCells } from './memory-needs.js';
export { type MemorySide, memorySideOf } from './memory-side.js';
export type { Metadata, PartMetadata } from './metadata.js';
export { MSET, type MsetPart } from './mset.js';
export { type ParityPart, parityCode } from './parity.js';
export {
  checkFloat32Range,
  checkInt8Range,
  RANGE_GRANULARITIES,
  type RangeCheckPart,
  type RangeGranularity,
  type WeightRanges,
  weightRanges,
} from './range-check.js';
export * from './reorder.js';
export * from './rotate.js';
export * from './rotate-lanes.js';
export { chooseReadableRotation, type RotationRule } from './rotation-number.js';
export { type SecdedDataBits, type SecdedPart, secdedCode, shortenedSecded } from './secded.js';
export type { SpareLines } from './spare-allocation/must-repair.js';
export {
  type BankFaults,
  type BankRepair,
  type MustRepair,
  mustRepair,
  repairBank,
} from './spare-allocation/repair-bank.js';
export type { SparesPart } from './spares.js';
export type {
  CellCopies,
  ParameterForm,
  PlacedWeights,
  Repairs,
  Verdicts,
  WeightScreen,
  WordCode,
  WordMasking,
  WordTransform,
} from './stages.js';
export { standsIn } from './standing.js';
export { decodeTmr, encodeTmr, type TmrCode, type TmrPart, tmrCode } from './tmr.js';
export type { WordMaskingPart } from './word-masking.js';
