import {
  type ConvolutionShape,
  type FeatureShape,
  featureCount,
  InputError,
  ModelError,
  type PoolingShape,
  windowSize,
} from '../../core/index.js';
import type { Int8Clip, Int8ConvolutionSpecification } from '../backend.js';
import { checkClip, checkInt8Specification, checkPoolingShape } from '../check.js';
import type { Allocate } from './allocate.js';
import {
  INT8_CLIP_FIELDS,
  int8FinishDescriptor,
  poolingDescriptor,
  thresholdBytes,
  writeClip,
} from './descriptors.js';
import { bumpAllocator, DESCRIPTOR_BYTES, placeWorkspace } from './memory.js';
import type { KernelModule } from './module.js';
import { PANEL_COLUMNS, roundUp } from './plan.js';
import { createWorkspace, type Workspace, writeDescriptor } from './workspace.js';

/** Fields of a change: position, channel, difference. */
const CHANGE_FIELDS = 3;
/** Fields of a patch: output channel, input channel, ky, kx, difference. */
const PATCH_FIELDS = 5;
const PRODUCT_BYTES = 8;

/** A list of stored values that changed, in the kernels' memory. */
export interface ChangeList {
  readonly address: number;
  /** [change][position, channel, new value − old value]. */
  readonly fields: Int32Array;
  length: number;
}

/** A weight that differs from the recorded one. */
export interface WeightChange {
  /** In network order, within the layer. */
  readonly index: number;
  /** New weight − recorded weight. */
  readonly difference: number;
}

/** One image's tensors of a layer: what it takes with all changes applied, and what it gave in the recorded run. */
export interface DeltaTensors {
  readonly input: Uint8Array;
  /** Becomes the new output. */
  readonly output: Uint8Array;
}

/** A layer that brings its recorded output up to date after changes of its input. */
export interface DeltaLayer {
  /** Writes the changes of the output into `target`. */
  update(changes: ChangeList, tensors: DeltaTensors, target: ChangeList): void;
}

export interface DeltaConvolution {
  readonly shape: ConvolutionShape;
  /** Accumulators from one output position to the next. */
  readonly rowChannels: number;
  setClip(clip: Int8Clip | undefined): void;
  /**
   * @param patches weights that differ, with at most `mostPatches` of them
   * @param accumulators of the recorded run, bias included: [position][rowChannels]
   * @param changes at most `mostChanges`
   */
  update(
    changes: ChangeList,
    patches: readonly WeightChange[],
    tensors: DeltaTensors & { readonly accumulators: Int32Array },
    target: ChangeList,
  ): void;
}

/** Most changes and patches that a convolution takes in one update. */
export interface DeltaLimits {
  readonly mostChanges: number;
  readonly mostPatches: number;
}

/** What delta kernels will hold, so that their memory can be sized once. */
export interface DeltaNeeds extends DeltaLimits {
  readonly convolutions: readonly ConvolutionShape[];
  readonly poolings: number;
  /** Lengths of the tensors, of the accumulators and of the change lists to be allocated. */
  readonly uint8: readonly number[];
  readonly int32: readonly number[];
  readonly changeLists: readonly number[];
}

/**
 * Kernels for runs that differ from a recorded one in few values. They give what running the layer would, to the
 * bit, in time proportional to what changed. All tensors must come from `allocate*`.
 */
export interface DeltaKernels {
  allocateUint8(length: number): Uint8Array;
  allocateInt32(length: number): Int32Array;
  changeList(capacity: number): ChangeList;
  /** @throws ModelError unless the specification is consistent and has one group */
  convolution(specification: Int8ConvolutionSpecification): DeltaConvolution;
  maxPool(shape: PoolingShape): DeltaLayer;
  /** From height × width × channels to channels × height × width. */
  flatten(shape: FeatureShape): DeltaLayer;
}

/** @throws InputError when the needs are beyond a 32-bit memory */
export function createDeltaKernels(module: KernelModule, needs: DeltaNeeds): DeltaKernels {
  const workspace = createWorkspace(module, deltaBytesNeeded(needs));
  const { allocate, buffer } = workspace;
  const patches = new Int32Array(
    buffer,
    allocate(needs.mostPatches * PATCH_FIELDS * 4),
    needs.mostPatches * PATCH_FIELDS,
  );
  return {
    allocateUint8: (length) => new Uint8Array(buffer, allocate(paddedBytes(length)), length),
    allocateInt32: (length) => new Int32Array(buffer, allocate(length * 4), length),
    changeList(capacity) {
      const address = allocate(capacity * CHANGE_FIELDS * 4);
      const fields = new Int32Array(buffer, address, capacity * CHANGE_FIELDS);
      return { address, fields, length: 0 };
    },
    convolution: (specification) => deltaConvolution(workspace, specification, needs, patches),
    maxPool: (shape) => deltaMaxPool(workspace, shape),
    flatten: deltaFlatten,
  };
}

/** Takes changes back: the tensor is again what it was before them. */
export function undoChanges(changes: ChangeList, tensor: Uint8Array, channels: number): void {
  const { fields } = changes;
  const end = changes.length * CHANGE_FIELDS;
  for (let field = 0; field < end; field += CHANGE_FIELDS) {
    tensor[fields[field] * channels + fields[field + 1]] -= fields[field + 2];
  }
}

/** Accumulators of one output position are padded to whole blocks. */
export function deltaRowChannels(shape: ConvolutionShape): number {
  return roundUp(shape.output.channels, PANEL_COLUMNS);
}

/** Blocks of 16 stored values are read whole, past the end of the last one. */
function paddedBytes(length: number): number {
  return length + PANEL_COLUMNS;
}

/** Bytes of memory that `createDeltaKernels` takes. */
export function deltaBytesNeeded(needs: DeltaNeeds): number {
  const allocate = bumpAllocator(Number.POSITIVE_INFINITY);
  placeWorkspace(allocate);
  allocate(needs.mostPatches * PATCH_FIELDS * 4);
  for (const shape of needs.convolutions) placeDeltaConvolution(shape, needs, allocate);
  for (let pooling = 0; pooling < needs.poolings; pooling++) allocate(DESCRIPTOR_BYTES);
  for (const length of needs.uint8) allocate(paddedBytes(length));
  for (const length of needs.int32) allocate(length * 4);
  for (const capacity of needs.changeLists) allocate(capacity * CHANGE_FIELDS * 4);
  return allocate(0);
}

interface DeltaPlaces {
  readonly descriptor: number;
  readonly finishDescriptor: number;
  readonly thresholds: number;
  readonly multipliers: number;
  readonly weights: number;
  readonly starts: number;
  readonly products: number;
  readonly differences: number;
  readonly usedBlocks: number;
}

function placeDeltaConvolution(
  shape: ConvolutionShape,
  { mostChanges }: DeltaLimits,
  allocate: Allocate,
): DeltaPlaces {
  const row = deltaRowChannels(shape);
  const positions = shape.output.height * shape.output.width;
  const taps = shape.kernel[0] * shape.kernel[1];
  return {
    descriptor: allocate(DESCRIPTOR_BYTES),
    finishDescriptor: allocate(DESCRIPTOR_BYTES),
    thresholds: allocate(thresholdBytes(shape)),
    multipliers: allocate(row * 4),
    weights: allocate(windowSize(shape) * row * 2),
    starts: allocate((positions + 1) * 4),
    products: allocate(mostChanges * taps * PRODUCT_BYTES),
    differences: allocate(positions * row * 4),
    usedBlocks: allocate((positions * row) / PANEL_COLUMNS),
  };
}

function deltaConvolution(
  { buffer, functions, allocate }: Workspace,
  specification: Int8ConvolutionSpecification,
  limits: DeltaLimits,
  patchFields: Int32Array,
): DeltaConvolution {
  checkInt8Specification(specification);
  const { shape, multipliers } = specification;
  if (shape.groups !== 1) {
    throw new ModelError(
      `A convolution of ${shape.groups} groups has no delta kernel: run it as a whole.`,
    );
  }
  const places = placeDeltaConvolution(shape, limits, allocate);
  const rowChannels = deltaRowChannels(shape);
  writeDescriptor(buffer, places.descriptor, descriptorFields(specification, places));
  const finish = writeDescriptor(
    buffer,
    places.finishDescriptor,
    int8FinishDescriptor(rowChannels, specification, places.thresholds, places.multipliers),
  );
  new Float32Array(buffer, places.multipliers).set(multipliers);
  const weights = windowSize(shape) * rowChannels;
  packByInput(specification, new Int16Array(buffer, places.weights, weights));
  return {
    shape,
    rowChannels,
    setClip(clip) {
      if (clip) {
        checkClip(clip, shape);
        new Int32Array(buffer, places.thresholds).set(clip.thresholds);
      }
      writeClip(finish, INT8_CLIP_FIELDS, clip, shape);
    },
    update(changes, patches, { input, output, accumulators }, target) {
      if (changes.length > limits.mostChanges || patches.length > limits.mostPatches) {
        throw new InputError(
          `An update of ${changes.length} changes and ${patches.length} patches exceeds its limits of ${limits.mostChanges} and ${limits.mostPatches}: run the layer as a whole.`,
        );
      }
      writePatches(shape, patches, patchFields);
      target.length = functions.deltaConvolution(
        places.descriptor,
        changes.address,
        changes.length,
        patchFields.byteOffset,
        patches.length,
        input.byteOffset,
        accumulators.byteOffset,
        output.byteOffset,
        target.address,
      );
    },
  };
}

/** Fields of `DeltaConvolutionDescriptor` in kernels/assembly/delta.ts. */
function descriptorFields(
  { shape, inputZeroPoint }: Int8ConvolutionSpecification,
  places: DeltaPlaces,
): number[] {
  const { input, output, kernel, strides, pads, dilations } = shape;
  return [
    input.height,
    input.width,
    input.channels,
    output.height,
    output.width,
    output.channels,
    ...kernel,
    ...strides,
    pads[0],
    pads[1],
    ...dilations,
    inputZeroPoint,
    deltaRowChannels(shape),
    places.weights,
    places.finishDescriptor,
    places.starts,
    places.products,
    places.differences,
    places.usedBlocks,
  ];
}

/** Weights less their zero points, from network order to [ky][kx][input channel][rowChannels]. */
function packByInput(
  { shape, weights, weightZeroPoints }: Int8ConvolutionSpecification,
  packed: Int16Array,
): void {
  const rowChannels = deltaRowChannels(shape);
  const taps = shape.kernel[0] * shape.kernel[1];
  const inputs = shape.input.channels;
  let source = 0;
  for (let output = 0; output < shape.output.channels; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        const row = tap * inputs + input;
        packed[row * rowChannels + output] = weights[source++] - weightZeroPoints[output];
      }
    }
  }
}

function writePatches(
  shape: ConvolutionShape,
  patches: readonly WeightChange[],
  fields: Int32Array,
): void {
  const [, width] = shape.kernel;
  const taps = shape.kernel[0] * width;
  for (const [position, { index, difference }] of patches.entries()) {
    const tap = index % taps;
    const channel = (index - tap) / taps;
    const input = channel % shape.input.channels;
    fields.set(
      [
        (channel - input) / shape.input.channels,
        input,
        Math.floor(tap / width),
        tap % width,
        difference,
      ],
      position * PATCH_FIELDS,
    );
  }
}

function deltaMaxPool({ buffer, functions, allocate }: Workspace, shape: PoolingShape): DeltaLayer {
  checkPoolingShape(shape, 'max');
  const descriptor = allocate(DESCRIPTOR_BYTES);
  writeDescriptor(buffer, descriptor, poolingDescriptor(shape));
  return {
    update(changes, { input, output }, target) {
      target.length = functions.deltaMaxPool(
        descriptor,
        changes.address,
        changes.length,
        input.byteOffset,
        output.byteOffset,
        target.address,
      );
    },
  };
}

function deltaFlatten(shape: FeatureShape): DeltaLayer {
  const positions = featureCount(shape) / shape.channels;
  return {
    update(changes, { output }, target) {
      const end = changes.length * CHANGE_FIELDS;
      for (let field = 0; field < end; field += CHANGE_FIELDS) {
        const channel = changes.fields[field + 1] * positions + changes.fields[field];
        const difference = changes.fields[field + 2];
        output[channel] += difference;
        target.fields[field] = 0;
        target.fields[field + 1] = channel;
        target.fields[field + 2] = difference;
      }
      target.length = changes.length;
    },
  };
}
