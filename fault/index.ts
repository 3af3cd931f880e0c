export type { CellBits } from './cell-bits.js';
export * from './fault-kind.js';
export type { FaultList } from './fault-list.js';
export * from './fault-map.js';
export * from './fit/compare-maps.js';
export * from './fit/die-labels.js';
export * from './fit/fit-fault-model.js';
export { formatBinary } from './formats/binary.js';
export type { ConditionLabels, ConditionName } from './formats/columns.js';
export { formatCsv } from './formats/csv.js';
export * from './formats/descramble.js';
export * from './formats/files.js';
export { formatHex } from './formats/hex.js';
export { formatFaultMap, parseFaultMap } from './formats/json.js';
export { formatMatrices } from './formats/matrices.js';
export { formatMbist } from './formats/mbist.js';
export type { FaultFileOptions, Selection } from './formats/read-options.js';
export * from './generate/fault-buffers.js';
export * from './generate/fault-map-of.js';
export * from './generate/fault-subsets.js';
export type { MarkedCellsMemory } from './generate/marked-cells.js';
export {
  nestedUniformFaultMaps,
  type UniformFaultOptions,
  type UniformFaults,
  uniformFaultMap,
} from './generate/uniform.js';
export * from './geometry.js';
export { chiSquareTail } from './inspect/chi-square.js';
export { type Dispersion, dispersionOf } from './inspect/dispersion.js';
export * from './inspect/heat-map.js';
export * from './inspect/line-counts.js';
export * from './inspect/pair-share.js';
export * from './inspect/row-parity.js';
export * from './inspect/summary.js';
export * from './model/background.js';
export * from './model/bit-lines.js';
export * from './model/fault-model.js';
export * from './model/model-file.js';
export * from './model/presets.js';
export * from './model/selection.js';
export * from './model/voltage.js';
export * from './regions.js';
export * from './tiling.js';
