export { ARCHITECTURES } from './architectures.js';
export * from './fault-arbitraries.js';
export { type ConvolutionOptions, createGraphBuilder, type GraphBuilder } from './graph-builder.js';
export { int8GraphOf } from './int8-graphs.js';
export * from './network-arbitraries.js';
export * from './sim-arbitraries.js';
export { xorshift } from './xorshift.js';
