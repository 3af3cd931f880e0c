/** What most programs need; each folder has an entry of its own with all that it offers. */
export {
  inferImages,
  loadNetwork,
  openResults,
  parseStudy,
  prepareStudy,
  readStudyFile,
  runStudy,
  type Study,
  type StudyPoint,
  type StudyResult,
} from './campaign/index.js';
export { InputError } from './core/index.js';
export { loadFaultMap } from './fault/index.js';
export { loadAccelerator } from './sim/index.js';
