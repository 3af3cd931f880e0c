export { capturedNames } from './captured.js';
export * from './decode.js';
export { elementArray, elementTypeOf, elementWidth } from './element-types.js';
export * from './encode.js';
export * from './model.js';
