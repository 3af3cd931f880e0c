export { INSTALL_ONNXRUNTIME } from './binding.js';
export { type ElementArray, readElements, writeElements } from './elements.js';
export type { FeedSource } from './feed.js';
export {
  createIslandRunner,
  type IslandPlace,
  islandBytes,
  requireIslandRuntime,
} from './runner.js';
export { type IslandRuntime, islandRuntime } from './runtime.js';
