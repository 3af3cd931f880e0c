/** In the order of their codes in a fault map. */
export const FAULT_KINDS = ['stuck-at-0', 'stuck-at-1', 'flip'] as const;

/** What a faulty cell does to the bit it stores. */
export type FaultKind = (typeof FAULT_KINDS)[number];
