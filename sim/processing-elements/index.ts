export {
  type ArrayRun,
  type ArrayRunOptions,
  type Float32ArrayLayer,
  type Int8ArrayLayer,
  runFloat32Layer,
  runInt8Layer,
} from './simulate.js';
