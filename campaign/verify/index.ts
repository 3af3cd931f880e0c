export type { VerificationCase } from './cases.js';
export type { Mismatch, Neighbourhood, Place } from './compare.js';
export { type AccumulatorTrace, type Difference, describeMismatch } from './differ.js';
export { type FileState, type FileVerifyOptions, verifyFile } from './file/file-cases.js';
export { type Float32VerifyOptions, verifyFloat32Clips } from './float32-clips.js';
export type { OptimizationLevel } from './onnxruntime.js';
export { onnxruntimeOverflows } from './overflow-probe.js';
export type { CaseResult, VerifyOptions } from './result.js';
export { verifyCase, verifyFloat32File, verifyNetwork } from './verify.js';
