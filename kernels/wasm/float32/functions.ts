/** The float32 kernels that kernels/assembly/index.ts exports; every argument is an address or a count. */
export interface Float32Functions {
  gatherFloat32(
    descriptor: number,
    input: number,
    block: number,
    firstRow: number,
    rows: number,
    group: number,
  ): void;
  multiplyFloat32Panels(
    descriptor: number,
    a: number,
    b: number,
    c: number,
    rows: number,
    depth: number,
    start: number,
  ): void;
  finishFloat32Rows(
    descriptor: number,
    sums: number,
    sumBytes: number,
    output: number,
    outputBytes: number,
    rows: number,
    position: number,
    step: number,
  ): void;
  scatterFloat32Channels(
    descriptor: number,
    sums: number,
    output: number,
    rows: number,
    list: number,
    count: number,
    position: number,
  ): void;
  collectFloat32Channels(
    panel: number,
    packed: number,
    depth: number,
    list: number,
    count: number,
  ): void;
  addFloat32Groups(
    descriptor: number,
    input: number,
    sums: number,
    firstRow: number,
    rows: number,
  ): void;
  /** 1 when one of the values has a magnitude above `limit` (its bits) or is NaN, else 0. */
  exceedsFloat32(values: number, count: number, limit: number): number;
  transformFloat32Kernels(descriptor: number, output: number, input: number, count: number): void;
  transformFloat32Inputs(
    descriptor: number,
    input: number,
    transformed: number,
    firstTile: number,
    tiles: number,
  ): void;
  transformFloat32Outputs(
    descriptor: number,
    finish: number,
    products: number,
    output: number,
    firstTile: number,
    tiles: number,
  ): void;
}
