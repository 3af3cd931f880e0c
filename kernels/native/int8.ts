import { weightCount, windowSize } from '../../core/index.js';
import type { Int8ConvolutionKernel, Int8ConvolutionSpecification } from '../backend.js';
import {
  checkClip,
  checkInt8,
  checkInt8Specification,
  checkInvertedBits,
  checkTensors,
  checkWeightIndex,
  checkWeightIndices,
} from '../check.js';
import { type Fields, fieldIndices, layoutBytes } from '../layouts.js';
import { CLIP_CODES, convolutionFields, thresholdBytes } from '../wasm/descriptors.js';
import type { Allocate } from '../wasm/module.js';
import { checkOwnTensors, writeDescriptor } from '../wasm/workspace.js';
import { type Int8NativePlan, packedPlaces, planInt8Native } from './plan.js';
import type { NativeWorkspace } from './workspace.js';

const VALUE_BYTES = 4;

const { clip: CLIP, thresholdStride: THRESHOLD_STRIDE } = fieldIndices('Int8Descriptor');

/** Addresses of what belongs to one int8 convolution. */
export interface Int8NativePlaces {
  readonly descriptor: number;
  readonly weights: number;
  /** Vectors of `rowStride` values. */
  readonly bias: number;
  readonly weightZeroPoints: number;
  readonly multipliers: number;
  /** Room for one a neuron. */
  readonly thresholds: number;
  /** A pixel of zero points. */
  readonly padding: number;
}

export function placeInt8Native(plan: Int8NativePlan, allocate: Allocate): Int8NativePlaces {
  const vectorBytes = plan.rowStride * VALUE_BYTES;
  return {
    descriptor: allocate(layoutBytes('Int8Descriptor')),
    weights: allocate(plan.weightBytes),
    bias: allocate(vectorBytes),
    weightZeroPoints: allocate(vectorBytes),
    multipliers: allocate(vectorBytes),
    thresholds: allocate(thresholdBytes(plan.shape)),
    padding: allocate(plan.transform ? plan.shape.input.channels : 0),
  };
}

/** Lays out an int8 convolution in the workspace's memory. */
export function int8Convolution(
  workspace: NativeWorkspace,
  specification: Int8ConvolutionSpecification,
): Int8ConvolutionKernel {
  checkInt8Specification(specification);
  const { buffer, functions, instructionSet } = workspace;
  const { shape } = specification;
  const plan = planInt8Native(shape, functions.instructionSets[instructionSet]);
  const places = placeInt8Native(plan, workspace.allocate);
  const { descriptor } = places;
  const fields = writeDescriptor(
    workspace,
    descriptor,
    'Int8Descriptor',
    int8Fields(workspace, plan, specification, places),
  );
  const { channels, height, width } = shape.output;
  new Float32Array(buffer, places.multipliers).set(specification.multipliers);
  new Int32Array(buffer, places.weightZeroPoints).set(specification.weightZeroPoints);
  if (plan.transform) {
    new Uint8Array(buffer, places.padding, shape.input.channels).fill(specification.inputZeroPoint);
  }
  const weights = packedWeights(buffer, plan, specification, places);
  const count = weightCount(shape);
  const blockAccumulators = new Int32Array(
    buffer,
    workspace.places.accumulators,
    plan.blockRows * plan.rowStride,
  );

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, count);
      checkInt8(value);
      weights.set(index, value);
    },
    setWeights(indices, values) {
      checkWeightIndices(indices, values, count);
      if (!(values instanceof Int8Array)) for (const value of values) checkInt8(value);
      if (plan.mergedGroups > 1) {
        for (const [place, index] of indices.entries()) weights.set(index, values[place]);
        return;
      }
      const bytes = values instanceof Int8Array ? values : Int8Array.from(values);
      functions.setInt8Weights(buffer, instructionSet, descriptor, indices, bytes);
    },
    invertBits(bits) {
      checkInvertedBits(bits, count);
      if (plan.mergedGroups > 1) {
        for (const [index, inverted] of bits.entries()) {
          if (inverted !== 0) weights.set(index, ((weights.get(index) ^ inverted) << 24) >> 24);
        }
        return;
      }
      functions.invertInt8Weights(buffer, instructionSet, descriptor, bits);
    },
    getWeight(index) {
      checkWeightIndex(index, count);
      return weights.get(index);
    },
    setClip(clip) {
      if (clip) {
        checkClip(clip, shape);
        new Int32Array(buffer, places.thresholds).set(clip.thresholds);
      }
      fields[CLIP] = clip ? CLIP_CODES[clip.mode] : 0;
      const isPerChannel = !clip || clip.thresholds.length === channels;
      fields[THRESHOLD_STRIDE] = isPerChannel ? 0 : channels;
    },
    run(input, output, images, observe) {
      checkTensors(shape, input, output, images);
      checkOwnTensors(buffer, input, output);
      const [from, to] = [input.byteOffset, output.byteOffset];
      if (!observe) {
        functions.runInt8(buffer, instructionSet, descriptor, from, to, images);
        return;
      }
      const total = images * height * width;
      for (let row = 0; row < total; row += plan.blockRows) {
        const rows = Math.min(plan.blockRows, total - row);
        functions.accumulateInt8(buffer, instructionSet, descriptor, from, images, row, rows);
        observe(blockAccumulators.subarray(0, rows * plan.rowStride), row, rows, plan.rowStride);
        functions.finishInt8(buffer, instructionSet, descriptor, to, images, row, rows);
      }
    },
  };
}

/** Without a clip. */
function int8Fields(
  { places: shared }: NativeWorkspace,
  plan: Int8NativePlan,
  specification: Int8ConvolutionSpecification,
  places: Int8NativePlaces,
): Fields<'Int8Descriptor'> {
  const { shape, weightZeroPoints } = specification;
  return {
    ...convolutionFields(shape),
    inputChannels: shape.input.channels,
    outputChannels: shape.output.channels,
    groups: plan.groups,
    inputZeroPoint: specification.inputZeroPoint,
    windowStride: plan.windowStride,
    steps: plan.steps,
    panelsPerGroup: plan.panelsPerGroup,
    rowStride: plan.rowStride,
    blockRows: plan.blockRows,
    panelRows: plan.panelRows,
    blockSteps: plan.blockSteps,
    depthwise: plan.algorithm === 'depthwise' ? 1 : 0,
    weights: places.weights,
    bias: places.bias,
    weightZeroPoints: weightZeroPoints.every((zeroPoint) => zeroPoint === 0)
      ? 0
      : places.weightZeroPoints,
    multipliers: places.multipliers,
    thresholds: places.thresholds,
    thresholdStride: 0,
    clip: 0,
    outputZeroPoint: specification.outputZeroPoint,
    low: specification.low,
    high: specification.high,
    windows: shared.windows,
    accumulators: shared.accumulators,
    unpaddedImages: plan.unpadded?.images ?? 0,
    unpaddedBlock: plan.unpadded?.block ?? 0,
    transformedImages: plan.transform?.images ?? 0,
    blockTiles: plan.transform?.blockTiles ?? 0,
    blockChannels: plan.transform?.blockChannels ?? 0,
    keepsWeights: plan.transform?.keepsWeights ? 1 : 0,
    padding: places.padding,
    transformedInputs: shared.transformedInputs,
    transformedWeights: shared.transformedWeights,
    products: shared.products,
  };
}

/**
 * Weights as they lie in the panels. Kernels sum x · w over stored values; of
 * (x − z)(w − v) = xw − zw − vx + zv, z the zero point of the input and v that of the weight, the bias takes −zw + zv, so
 * a changed weight changes one byte and the bias of its channel, and the kernel subtracts v · Σx where v is not zero.
 */
function packedWeights(
  buffer: ArrayBuffer,
  plan: Int8NativePlan,
  specification: Int8ConvolutionSpecification,
  places: Int8NativePlaces,
): {
  readonly set: (index: number, value: number) => void;
  readonly get: (index: number) => number;
} {
  const { shape } = plan;
  const { weights, weightZeroPoints } = specification;
  const packed = new Int8Array(buffer, places.weights, plan.weightBytes);
  const bias = new Int32Array(buffer, places.bias, plan.rowStride);
  bias.set(specification.bias);
  const { first, firstInput, offset } = packedPlaces(plan);
  const taps = shape.kernel[0] * shape.kernel[1];
  const window = windowSize(shape);
  const firsts = Uint32Array.from({ length: shape.output.channels }, (_, channel) =>
    first(channel),
  );
  const firstInputs = Uint32Array.from({ length: shape.output.channels }, (_, channel) =>
    firstInput(channel),
  );
  // A filter for each channel skips padding, so its kernel subtracts the zero points.
  const inputZeroPoint = plan.algorithm === 'depthwise' ? 0 : specification.inputZeroPoint;

  let source = 0;
  for (let channel = 0; channel < shape.output.channels; channel++) {
    let sum = 0;
    // Of merged groups, weights for each other's inputs are worth zero.
    for (let input = 0; input < (window / taps) * plan.mergedGroups; input++) {
      for (let tap = 0; tap < taps && plan.mergedGroups > 1; tap++) {
        packed[firsts[channel] + offset(tap, input)] = weightZeroPoints[channel];
      }
    }
    for (let input = 0; input < window / taps; input++) {
      for (let tap = 0; tap < taps; tap++) {
        const weight = weights[source++];
        packed[firsts[channel] + offset(tap, firstInputs[channel] + input)] = weight;
        sum += weight - weightZeroPoints[channel];
      }
    }
    bias[channel] -= Math.imul(inputZeroPoint, sum);
  }

  return {
    set(index, value) {
      const channel = Math.floor(index / window);
      const rest = index - channel * window;
      const input = Math.floor(rest / taps);
      const place = firsts[channel] + offset(rest - input * taps, firstInputs[channel] + input);
      bias[channel] -= Math.imul(inputZeroPoint, value - packed[place]);
      packed[place] = value;
    },
    get(index) {
      const channel = Math.floor(index / window);
      const rest = index - channel * window;
      const input = Math.floor(rest / taps);
      return packed[firsts[channel] + offset(rest - input * taps, firstInputs[channel] + input)];
    },
  };
}
