/** What of an accelerator may have faulty cells: each holds one operand, or what is computed of operands. */
export const STORAGES = [
  'weights',
  'weight-registers',
  'inputs',
  'activations',
  'accumulators',
  'multipliers',
] as const;

/** One of STORAGES. */
export type StorageName = (typeof STORAGES)[number];

/** What messages call a storage. */
export const STORAGE_TITLES: Readonly<Record<StorageName, string>> = {
  weights: 'the weight memory',
  'weight-registers': 'the weight registers of the array',
  inputs: "the network's input in the feature-map memory",
  activations: 'the activations in the feature-map memory',
  accumulators: 'the accumulators',
  multipliers: 'the multipliers of the array',
};
