/** Samples that networks are run on, and how they are judged. */
export * from './answers.js';
export * from './tasks.js';
export * from './workload.js';
