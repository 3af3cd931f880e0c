/** The float32 kernels that kernels/assembly/index.ts exports; every argument is an address or a count. */
export interface Float32Functions {
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
  ): void;
  scatterFloat32Channels(
    descriptor: number,
    sums: number,
    output: number,
    rows: number,
    list: number,
    count: number,
  ): void;
  collectFloat32Channels(
    panel: number,
    packed: number,
    depth: number,
    list: number,
    count: number,
  ): void;
  /** 1 when one of the values has a magnitude above `limit` (its bits) or is NaN, else 0. */
  exceedsFloat32(values: number, count: number, limit: number): number;
  transformFloat32Kernel2x2: TransformKernel;
  transformFloat32Kernel4x4: TransformKernel;
  transformFloat32Inputs2x2: TransformInputs;
  transformFloat32Inputs4x4: TransformInputs;
  transformFloat32Outputs2x2: TransformOutputs;
  transformFloat32Outputs4x4: TransformOutputs;
}

type TransformKernel = (descriptor: number, output: number, input: number) => void;

type TransformInputs = (
  descriptor: number,
  input: number,
  transformed: number,
  firstTile: number,
  tiles: number,
) => void;

type TransformOutputs = (
  descriptor: number,
  finish: number,
  products: number,
  output: number,
  firstTile: number,
  tiles: number,
) => void;
