/** What stays in the processing elements while the other two operands move through the array. */
export const DATAFLOWS = ['weight-stationary', 'output-stationary', 'input-stationary'] as const;

export type Dataflow = (typeof DATAFLOWS)[number];

/** A systolic array of `rows` × `columns` processing elements. */
export interface SystolicArray {
  readonly rows: number;
  readonly columns: number;
  readonly dataflow: Dataflow;
  /**
   * Weight-stationary arrays alone: each processing element has a second weight register, so the weights of the
   * next tile load behind the current one (as in Gemmini).
   */
  readonly preload?: boolean;
}

/** Whether the next tile's weights load behind the current one. */
export function preloads({ dataflow, preload }: SystolicArray): boolean {
  return dataflow === 'weight-stationary' && preload === true;
}
