/** What stays in the processing elements while the other two operands move through the array. */
export const DATAFLOWS = ['weight-stationary', 'output-stationary', 'input-stationary'] as const;

export type Dataflow = (typeof DATAFLOWS)[number];

/** A systolic array of `rows` × `columns` processing elements. */
export interface SystolicArray {
  readonly rows: number;
  readonly columns: number;
  readonly dataflow: Dataflow;
  /** Weight-stationary with a second weight register: the next tile's weights load behind the current tile. */
  readonly preload?: boolean;
}
