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
import { type Fields, fieldIndices, fieldNames, layoutBytes } from '../layouts.js';
import {
  convolutionFields,
  int8FinishFields,
  poolingFields,
  thresholdBytes,
  writeClip,
} from './descriptors.js';
import { bumpAllocator, placeWorkspace } from './memory.js';
import type { Allocate, KernelFunctions, KernelModule } from './module.js';
import { PANEL_COLUMNS, roundUp } from './plan.js';
import { createWorkspace, type Workspace, writeDescriptor } from './workspace.js';

const CHANGE_FIELDS = fieldNames('Change').length;
const { position: POSITION, channel: CHANNEL, difference: DIFFERENCE } = fieldIndices('Change');
const PATCH_FIELDS = fieldNames('Patch').length;
const PATCH = fieldIndices('Patch');

/** A list of stored values that changed, in the kernels' memory. */
export interface ChangeList {
  readonly address: number;
  /** A `Change` of the kernels' layouts for each: position, channel, new value − old value. */
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

/** An int8 convolution of one group that brings its recorded output up to date after changes of input and weights. */
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

/** Code beside WebAssembly that updates convolutions: as its `deltaConvolution`, by addresses in the memory given. */
export type UpdateConvolution = (
  memory: ArrayBuffer,
  descriptor: number,
  changes: number,
  changeCount: number,
  patches: number,
  patchCount: number,
  input: number,
  accumulators: number,
  output: number,
  target: number,
) => number;

/**
 * @param updateConvolution default: WebAssembly does it
 * @throws InputError when the needs are beyond a 32-bit memory
 */
export function createWasmDeltaKernels(
  module: KernelModule,
  needs: DeltaNeeds,
  updateConvolution?: UpdateConvolution,
): DeltaKernels {
  const workspace = createWorkspace(module, deltaBytesNeeded(needs));
  const { allocate, buffer, functions } = workspace;
  const update: KernelFunctions['deltaConvolution'] = updateConvolution
    ? (...rest) => updateConvolution(buffer, ...rest)
    : functions.deltaConvolution;
  const patches = new Int32Array(
    buffer,
    allocate(needs.mostPatches * layoutBytes('Patch')),
    needs.mostPatches * PATCH_FIELDS,
  );
  return {
    allocateUint8: (length) => new Uint8Array(buffer, allocate(paddedBytes(length)), length),
    allocateInt32: (length) => new Int32Array(buffer, allocate(length * 4), length),
    changeList(capacity) {
      const address = allocate(capacity * layoutBytes('Change'));
      const fields = new Int32Array(buffer, address, capacity * CHANGE_FIELDS);
      return { address, fields, length: 0 };
    },
    convolution: (specification) =>
      deltaConvolution(workspace, update, specification, needs, patches),
    maxPool: (shape) => deltaMaxPool(workspace, shape),
    flatten: deltaFlatten,
  };
}

/** Takes changes back: the tensor is again what it was before them. */
export function undoChanges(changes: ChangeList, tensor: Uint8Array, channels: number): void {
  const { fields } = changes;
  const end = changes.length * CHANGE_FIELDS;
  for (let field = 0; field < end; field += CHANGE_FIELDS) {
    const place = fields[field + POSITION] * channels + fields[field + CHANNEL];
    tensor[place] -= fields[field + DIFFERENCE];
  }
}

/**
 * Changes a value of a tensor, among the changes that a list has of it already.
 *
 * @param place (position · channels + channel) of the value
 * @param changes with room for one change of each value of the tensor
 */
export function changeValue(
  changes: ChangeList,
  tensor: Uint8Array,
  channels: number,
  place: number,
  value: number,
): void {
  const { fields } = changes;
  const difference = value - tensor[place];
  if (difference === 0) return;
  tensor[place] = value;
  const channel = place % channels;
  const position = (place - channel) / channels;
  const end = changes.length * CHANGE_FIELDS;
  for (let field = 0; field < end; field += CHANGE_FIELDS) {
    if (fields[field + POSITION] !== position || fields[field + CHANNEL] !== channel) continue;
    fields[field + DIFFERENCE] += difference;
    return;
  }
  fields[end + POSITION] = position;
  fields[end + CHANNEL] = channel;
  fields[end + DIFFERENCE] = difference;
  changes.length += 1;
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
  allocate(needs.mostPatches * layoutBytes('Patch'));
  for (const shape of needs.convolutions) placeDeltaConvolution(shape, needs, allocate);
  for (let pooling = 0; pooling < needs.poolings; pooling++)
    allocate(layoutBytes('PoolingDescriptor'));
  for (const length of needs.uint8) allocate(paddedBytes(length));
  for (const length of needs.int32) allocate(length * 4);
  for (const capacity of needs.changeLists) allocate(capacity * layoutBytes('Change'));
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
    descriptor: allocate(layoutBytes('DeltaConvolutionDescriptor')),
    finishDescriptor: allocate(layoutBytes('Int8FinishDescriptor')),
    thresholds: allocate(thresholdBytes(shape)),
    multipliers: allocate(row * 4),
    weights: allocate(windowSize(shape) * row * 2),
    starts: allocate((positions + 1) * 4),
    products: allocate(mostChanges * taps * layoutBytes('Product')),
    differences: allocate(positions * row * 4),
    usedBlocks: allocate((positions * row) / PANEL_COLUMNS),
  };
}

function deltaConvolution(
  workspace: Workspace,
  update: KernelFunctions['deltaConvolution'],
  specification: Int8ConvolutionSpecification,
  limits: DeltaLimits,
  patchFields: Int32Array,
): DeltaConvolution {
  checkInt8Specification(specification);
  const { buffer, allocate } = workspace;
  const { shape, multipliers } = specification;
  if (shape.groups !== 1) {
    throw new ModelError(
      `A convolution of ${shape.groups} groups has no delta kernel: run it as a whole.`,
    );
  }
  const places = placeDeltaConvolution(shape, limits, allocate);
  const rowChannels = deltaRowChannels(shape);
  const fields = descriptorFields(specification, places);
  writeDescriptor(workspace, places.descriptor, 'DeltaConvolutionDescriptor', fields);
  const finish = writeDescriptor(
    workspace,
    places.finishDescriptor,
    'Int8FinishDescriptor',
    int8FinishFields(rowChannels, specification, places.thresholds, places.multipliers),
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
      writeClip(finish, 'int8', clip, shape);
    },
    update(changes, patches, { input, output, accumulators }, target) {
      if (changes.length > limits.mostChanges || patches.length > limits.mostPatches) {
        throw new InputError(
          `An update of ${changes.length} changes and ${patches.length} patches exceeds its limits of ${limits.mostChanges} and ${limits.mostPatches}: run the layer as a whole.`,
        );
      }
      writePatches(shape, patches, patchFields);
      target.length = update(
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

function descriptorFields(
  { shape, inputZeroPoint }: Int8ConvolutionSpecification,
  { weights, finishDescriptor, starts, products, differences, usedBlocks }: DeltaPlaces,
): Fields<'DeltaConvolutionDescriptor'> {
  return {
    ...convolutionFields(shape),
    inputChannels: shape.input.channels,
    outputChannels: shape.output.channels,
    inputZeroPoint,
    rowChannels: deltaRowChannels(shape),
    weights,
    finish: finishDescriptor,
    starts,
    products,
    differences,
    usedBlocks,
  };
}

/** So many rows of a matrix are read at once that what they write fills whole cache lines. */
const PACKED_OUTPUTS = 32;

/**
 * Weights less their zero points, from network order to [ky][kx][input channel][rowChannels]. Output channel by output
 * channel, each value to a cache line of its own, the 23 million of AlexNet take 3.6 times as long.
 */
function packByInput(
  { shape, weights, weightZeroPoints }: Int8ConvolutionSpecification,
  packed: Int16Array,
): void {
  const rowChannels = deltaRowChannels(shape);
  const taps = shape.kernel[0] * shape.kernel[1];
  const inputs = shape.input.channels;
  const outputs = shape.output.channels;
  const window = windowSize(shape);
  for (let first = 0; first < outputs; first += PACKED_OUTPUTS) {
    const end = Math.min(first + PACKED_OUTPUTS, outputs);
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        const target = (tap * inputs + input) * rowChannels;
        let source = first * window + input * taps + tap;
        for (let output = first; output < end; output++) {
          packed[target + output] = weights[source] - weightZeroPoints[output];
          source += window;
        }
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
    const first = position * PATCH_FIELDS;
    fields[first + PATCH.output] = (channel - input) / shape.input.channels;
    fields[first + PATCH.input] = input;
    fields[first + PATCH.ky] = Math.floor(tap / width);
    fields[first + PATCH.kx] = tap % width;
    fields[first + PATCH.difference] = difference;
  }
}

function deltaMaxPool(workspace: Workspace, shape: PoolingShape): DeltaLayer {
  checkPoolingShape(shape, 'max');
  const descriptor = workspace.allocate(layoutBytes('PoolingDescriptor'));
  writeDescriptor(workspace, descriptor, 'PoolingDescriptor', poolingFields(shape));
  return {
    update(changes, { input, output }, target) {
      target.length = workspace.functions.deltaMaxPool(
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
      const { fields } = changes;
      const { fields: written } = target;
      const end = changes.length * CHANGE_FIELDS;
      for (let field = 0; field < end; field += CHANGE_FIELDS) {
        const channel = fields[field + CHANNEL] * positions + fields[field + POSITION];
        const difference = fields[field + DIFFERENCE];
        output[channel] += difference;
        written[field + POSITION] = 0;
        written[field + CHANNEL] = channel;
        written[field + DIFFERENCE] = difference;
      }
      target.length = changes.length;
    },
  };
}
