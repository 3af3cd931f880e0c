export type {
  Bandwidth,
  OperandBuffers,
  PortBandwidth,
  VectorUnit,
} from '../hardware/operands.js';
export type * from './result.js';
export * from './scalesim/topology.js';
export * from './timing.js';
export * from './vector-unit.js';
