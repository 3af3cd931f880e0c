export * from './activity.js';
export * from './area.js';
export {
  type ComponentEnergy,
  ENERGY_COMPONENTS,
  type EnergyComponent,
  type LayerEnergy,
  type NetworkEnergy,
  type NotGiven,
  networkEnergy,
} from './energy.js';
export * from './read.js';
export { energyTableJsonSchema, energyTableSchema } from './schema.js';
export * from './supply.js';
export { supplySchema } from './supply-schema.js';
export * from './table.js';
