export type { StreamAddress } from './bulk-draws.js';
export * from './byte-source.js';
export { type CellFunctions, SCRATCH_BYTES } from './cells/functions.js';
export { CELL_CODES, type CellCode, type CellMemory, createCellMemory } from './cells/memory.js';
export * from './configuration.js';
export * from './digest.js';
export * from './errors.js';
export * from './excerpt.js';
export * from './file-lock.js';
export { fileProblem, writeError } from './file-problem.js';
export * from './files.js';
export * from './json.js';
export * from './memory-limit.js';
export * from './native-library.js';
export * from './npy.js';
export * from './numbers.js';
export * from './package-root.js';
export { philox4x32 } from './philox.js';
export * from './posted-error.js';
export * from './progress.js';
export * from './random.js';
export * from './safe-outputs.js';
export {
  fieldName,
  firstIssue,
  foundAndExpected,
  type SchemaIssue,
  valueAndProblem,
  valueAt,
} from './schema-issue.js';
export * from './scratch.js';
export * from './shapes.js';
export * from './shell-word.js';
export * from './suggestion.js';
export * from './text.js';
export * from './units.js';
export * from './visible-text.js';
export * from './webassembly.js';
export * from './write-files.js';
export * from './yaml.js';
export * from './yaml-numbers.js';
