export { describeMismatch, type Mismatch } from './compare.js';
export { onnxruntimeOverflows } from './overflow-probe.js';
export { type CaseResult, type VerifyOptions, verifyNetwork } from './verify.js';
