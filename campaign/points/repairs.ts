import type { Repairs } from '../../mitigation/index.js';

export const NO_REPAIRS: Readonly<Repairs> = {
  banks: 0,
  repaired: 0,
  notProvedOptimal: 0,
  uncoveredCells: 0,
};

export function addRepairs(one: Readonly<Repairs>, other: Readonly<Repairs>): Repairs {
  return {
    banks: one.banks + other.banks,
    repaired: one.repaired + other.repaired,
    notProvedOptimal: one.notProvedOptimal + other.notProvedOptimal,
    uncoveredCells: one.uncoveredCells + other.uncoveredCells,
  };
}
