/** What a convolution takes and makes, and its windows. */
const WINDOW_DESCRIPTOR = {
  inputHeight: 'i32',
  inputWidth: 'i32',
  inputChannels: 'i32',
  outputHeight: 'i32',
  outputWidth: 'i32',
  outputChannels: 'i32',
  kernelHeight: 'i32',
  kernelWidth: 'i32',
  strideY: 'i32',
  strideX: 'i32',
  padTop: 'i32',
  padLeft: 'i32',
  dilationY: 'i32',
  dilationX: 'i32',
  groups: 'i32',
} as const;

/**
 * What compiled kernels read from memory and what is written there for them: fields in the order in which they lie, each
 * of 32 bits; a `usize` is an address. kernels/assembly has a class of each name, which says what its fields mean.
 */
export const LAYOUTS = {
  GatherDescriptor: {
    inputHeight: 'i32',
    inputWidth: 'i32',
    inputChannels: 'i32',
    outputHeight: 'i32',
    outputWidth: 'i32',
    kernelHeight: 'i32',
    kernelWidth: 'i32',
    strideY: 'i32',
    strideX: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
    dilationY: 'i32',
    dilationX: 'i32',
    groupChannels: 'i32',
    zeroPoint: 'i32',
    rowStride: 'i32',
  },
  PoolingDescriptor: {
    channels: 'i32',
    inputHeight: 'i32',
    inputWidth: 'i32',
    outputHeight: 'i32',
    outputWidth: 'i32',
    kernelHeight: 'i32',
    kernelWidth: 'i32',
    strideY: 'i32',
    strideX: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
  },
  Int8FinishDescriptor: {
    channels: 'i32',
    rowStride: 'i32',
    clip: 'i32',
    thresholds: 'usize',
    multipliers: 'usize',
    zeroPoint: 'i32',
    low: 'i32',
    high: 'i32',
    thresholdStride: 'i32',
    positions: 'i32',
  },
  TransformDescriptor: {
    inputHeight: 'i32',
    inputWidth: 'i32',
    inputChannels: 'i32',
    outputHeight: 'i32',
    outputWidth: 'i32',
    outputChannels: 'i32',
    tilesY: 'i32',
    tilesX: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
    inputZeroPoint: 'i32',
    padding: 'usize',
    inputs: 'usize',
    inputRow: 'i32',
    inputElement: 'i32',
    products: 'usize',
    productRow: 'i32',
    productElement: 'i32',
    weights: 'usize',
    panelBytes: 'i32',
    bias: 'usize',
    storedWeights: 'usize',
    weightZeroPoints: 'usize',
    scratch: 'usize',
    accumulatorRow: 'i32',
  },
  DepthwiseDescriptor: {
    inputHeight: 'i32',
    inputWidth: 'i32',
    channels: 'i32',
    outputHeight: 'i32',
    outputWidth: 'i32',
    kernelHeight: 'i32',
    kernelWidth: 'i32',
    strideY: 'i32',
    strideX: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
    dilationY: 'i32',
    dilationX: 'i32',
    zeroPoint: 'i32',
    rowStride: 'i32',
    padding: 'usize',
    weights: 'usize',
    bias: 'usize',
    taps: 'usize',
  },
  Float32FinishDescriptor: {
    channels: 'i32',
    clip: 'i32',
    thresholds: 'usize',
    relu: 'i32',
    thresholdStride: 'i32',
    positions: 'i32',
  },
  ProductDescriptor: {
    rowBytes: 'i32',
    panelBytes: 'i32',
    panels: 'i32',
    sumBytes: 'i32',
  },
  WinogradDescriptor: {
    inputHeight: 'i32',
    inputWidth: 'i32',
    inputChannels: 'i32',
    outputHeight: 'i32',
    outputWidth: 'i32',
    outputChannels: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
    tileOutputs: 'i32',
    tileRows: 'i32',
    tileColumns: 'i32',
    inputPlane: 'i32',
    outputPlane: 'i32',
    weightPlane: 'i32',
    weights: 'usize',
    packed: 'usize',
    bias: 'usize',
    zeros: 'usize',
    scratch: 'usize',
  },
  Float32GroupsDescriptor: {
    ...WINDOW_DESCRIPTOR,
    weights: 'usize',
    bias: 'usize',
    sumBytes: 'i32',
    padding: 'usize',
    firstInputs: 'usize',
    taps: 'usize',
  },
  DeltaConvolutionDescriptor: {
    inputHeight: 'i32',
    inputWidth: 'i32',
    inputChannels: 'i32',
    outputHeight: 'i32',
    outputWidth: 'i32',
    outputChannels: 'i32',
    kernelHeight: 'i32',
    kernelWidth: 'i32',
    strideY: 'i32',
    strideX: 'i32',
    padTop: 'i32',
    padLeft: 'i32',
    dilationY: 'i32',
    dilationX: 'i32',
    inputZeroPoint: 'i32',
    rowChannels: 'i32',
    weights: 'usize',
    finish: 'usize',
    starts: 'usize',
    products: 'usize',
    differences: 'usize',
    usedBlocks: 'usize',
  },
  Change: {
    position: 'i32',
    channel: 'i32',
    difference: 'i32',
  },
  Patch: {
    output: 'i32',
    input: 'i32',
    ky: 'i32',
    kx: 'i32',
    difference: 'i32',
  },
  Product: {
    weights: 'usize',
    difference: 'i32',
  },
  SumStretch: {
    windows: 'usize',
    windowBytes: 'i32',
    words: 'i32',
    weights: 'usize',
    panels: 'i32',
    quads: 'i32',
    bias: 'usize',
    sums: 'usize',
    runs: 'usize',
    runsEnd: 'usize',
    dense: 'i32',
  },
  SumRun: {
    kind: 'i32',
    words: 'i32',
    excess: 'i32',
    masks: 'usize',
    maskBytes: 'i32',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, 'i32' | 'usize'>>>>;

/**
 * The same for the kernels in C: kernels/native/source/descriptors.h has a structure for each, `window` at the start of
 * one being the first; the build asserts there where each field lies. A `usize` counts bytes from the start of the memory.
 */
export const NATIVE_LAYOUTS = {
  WindowDescriptor: WINDOW_DESCRIPTOR,
  Int8Descriptor: {
    ...WINDOW_DESCRIPTOR,
    inputZeroPoint: 'i32',
    windowStride: 'i32',
    steps: 'i32',
    panelsPerGroup: 'i32',
    rowStride: 'i32',
    blockRows: 'i32',
    panelRows: 'i32',
    blockSteps: 'i32',
    depthwise: 'i32',
    weights: 'usize',
    bias: 'usize',
    weightZeroPoints: 'usize',
    multipliers: 'usize',
    thresholds: 'usize',
    thresholdStride: 'i32',
    clip: 'i32',
    outputZeroPoint: 'i32',
    low: 'i32',
    high: 'i32',
    windows: 'usize',
    accumulators: 'usize',
    unpaddedImages: 'i32',
    unpaddedBlock: 'i32',
    transformedImages: 'i32',
    blockTiles: 'i32',
    blockChannels: 'i32',
    keepsWeights: 'i32',
    padding: 'usize',
    transformedInputs: 'usize',
    transformedWeights: 'usize',
    products: 'usize',
  },
  PoolingDescriptor: LAYOUTS.PoolingDescriptor,
  GatherDescriptor: LAYOUTS.GatherDescriptor,
  ProductDescriptor: LAYOUTS.ProductDescriptor,
  Float32FinishDescriptor: LAYOUTS.Float32FinishDescriptor,
  WinogradDescriptor: LAYOUTS.WinogradDescriptor,
  Float32GroupsDescriptor: LAYOUTS.Float32GroupsDescriptor,
  DeltaConvolutionDescriptor: LAYOUTS.DeltaConvolutionDescriptor,
  Int8FinishDescriptor: LAYOUTS.Int8FinishDescriptor,
  Change: LAYOUTS.Change,
  Patch: LAYOUTS.Patch,
  Product: LAYOUTS.Product,
} as const satisfies Readonly<Record<string, Readonly<Record<string, 'i32' | 'usize'>>>>;

const ALL_LAYOUTS = { ...LAYOUTS, ...NATIVE_LAYOUTS };

/** Name of a layout, and of its class in kernels/assembly or its structure in C. */
export type LayoutName = keyof typeof ALL_LAYOUTS;

type FieldName<Name extends LayoutName> = keyof (typeof ALL_LAYOUTS)[Name] & string;

/** A number for each field of a layout. */
export type Fields<Name extends LayoutName> = Readonly<Record<FieldName<Name>, number>>;

const FIELD_BYTES = 4;

const NAMES = new Map(
  Object.entries(ALL_LAYOUTS).map(([name, layout]) => [name, Object.keys(layout)]),
);

/** The fields of a layout in their order. */
export function fieldNames<Name extends LayoutName>(name: Name): readonly FieldName<Name>[] {
  return NAMES.get(name) as FieldName<Name>[];
}

/** Bytes that a layout takes in memory. */
export function layoutBytes(name: LayoutName): number {
  return fieldNames(name).length * FIELD_BYTES;
}

/** Where each field lies, counted in fields. */
export function fieldIndices<Name extends LayoutName>(name: Name): Fields<Name> {
  const indices = fieldNames(name).map((field, index) => [field, index]);
  return Object.fromEntries(indices) as Fields<Name>;
}
