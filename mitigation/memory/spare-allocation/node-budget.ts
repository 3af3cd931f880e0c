/** How many nodes of a search tree may still be visited. */
export interface NodeBudget {
  /** Whether one more may be, which is then counted. */
  use(): boolean;
  /** Whether a node was refused. */
  exhausted(): boolean;
}

export function nodeBudget(nodes: number): NodeBudget {
  let left = nodes;
  let refused = false;
  return {
    use() {
      if (left > 0) left -= 1;
      else refused = true;
      return !refused;
    },
    exhausted: () => refused,
  };
}
