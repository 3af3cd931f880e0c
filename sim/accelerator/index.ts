export * from './accelerator.js';
export * from './place-network.js';
export * from './presets.js';
export * from './read.js';
export * from './scalesim-configuration.js';
export { acceleratorJsonSchema } from './schema.js';
