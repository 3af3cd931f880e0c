export { type BchDataBits, bchDecCode, shortenedBch } from './bch-dec.js';
export { CEP_CHUNKS, type CepChunk, cepCode } from './cep.js';
export { decodeFloat32Word, encodeFloat32Word, type Float32Code } from './float32-code.js';
export { type CodeGates, gatesOf } from './gates.js';
export { decodeInPlace, encodeInPlace, throttleInPlace } from './in-place-ecc.js';
export { checkBitsOf, DETECTED, decodeWord, type LinearCode } from './linear-code.js';
export { MSET } from './mset.js';
export { parityCode } from './parity.js';
export {
  checkFloat32Range,
  checkInt8Range,
  RANGE_GRANULARITIES,
  type RangeGranularity,
  type WeightRanges,
  weightRanges,
} from './range-check.js';
export { type SecdedDataBits, secdedCode } from './secded.js';
export { decodeTmr, encodeTmr, type TmrCode, tmrCode } from './tmr.js';
