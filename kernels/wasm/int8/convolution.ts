import { type ConvolutionShape, weightCount, windowSize } from '../../../core/index.js';
import type { Int8ConvolutionKernel, Int8ConvolutionSpecification } from '../../backend.js';
import {
  checkClip,
  checkInt8,
  checkInt8Specification,
  checkInvertedBits,
  checkTensors,
  checkWeightIndex,
  checkWeightIndices,
} from '../../check.js';
import { type PlacedConvolution, runBlocks } from '../block-loop.js';
import { gatherFields, int8FinishFields, writeClip } from '../descriptors.js';
import {
  type ConvolutionPlaces,
  placeConvolution,
  placeDepthwise,
  placeFullyConnected,
  placeTransform,
} from '../memory.js';
import { packWeights } from '../packing.js';
import {
  type ConvolutionPlan,
  firstInput,
  PANEL_COLUMNS,
  packedColumn,
  packedIndex,
  planConvolution,
} from '../plan.js';
import { checkOwnTensors, type Workspace, writeDescriptor } from '../workspace.js';
import { forEachBlock } from './blocks-of-bits.js';
import { depthwiseConvolution } from './depthwise.js';
import { fullyConnectedRun } from './fully-connected.js';
import { planInt8Convolution } from './plan.js';
import { type Int8Computation, transformedConvolution } from './transformed.js';

/** Lays out an int8 convolution in the workspace's memory, for the algorithm of its plan. */
export function int8Convolution(
  workspace: Workspace,
  specification: Int8ConvolutionSpecification,
): Int8ConvolutionKernel {
  checkInt8Specification(specification);
  const { buffer, allocate } = workspace;
  const { shape, inputZeroPoint } = specification;
  const plan = planInt8Convolution(shape);
  const directPlan = planConvolution(shape, 'int8');

  /** What all algorithms share: parameters of the channels, and the descriptor of the epilogue. */
  function writeParameters(places: ConvolutionPlaces): Int32Array {
    new Int32Array(buffer, places.bias).set(specification.bias);
    new Float32Array(buffer, places.multipliers).set(specification.multipliers);
    const { finishDescriptor, thresholds, multipliers } = places;
    const { rowStride } = directPlan;
    const fields = int8FinishFields(rowStride, specification, thresholds, multipliers);
    return writeDescriptor(workspace, finishDescriptor, 'Int8FinishDescriptor', fields);
  }

  function writeGatherDescriptor(places: ConvolutionPlaces): void {
    const fields = gatherFields(directPlan, inputZeroPoint);
    writeDescriptor(workspace, places.gatherDescriptor, 'GatherDescriptor', fields);
  }

  if (plan.algorithm === 'depthwise') {
    const places = placeDepthwise(shape, allocate);
    const finishDescriptor = writeParameters(places);
    const computation = depthwiseConvolution(workspace, directPlan, specification, places);
    return int8Kernel(workspace, shape, computation, places.thresholds, finishDescriptor);
  }
  if (plan.algorithm === 'direct') {
    const places = placeConvolution(directPlan, allocate);
    const finishDescriptor = writeParameters(places);
    writeGatherDescriptor(places);
    const packed = new Int16Array(buffer, places.weights, directPlan.packedWeights);
    const zeroPoints = specification.weightZeroPoints.slice();
    const run = directRun(workspace, directPlan, places);
    const computation = packedConvolution(
      workspace,
      directPlan,
      specification,
      packed,
      zeroPoints,
      run,
    );
    return int8Kernel(workspace, shape, computation, places.thresholds, finishDescriptor);
  }
  if (!('elements' in plan)) {
    const places = placeFullyConnected(directPlan, allocate);
    const finishDescriptor = writeParameters(places);
    writeGatherDescriptor(places);
    // Zero points are not subtracted from the weights, which then would not fit a byte.
    const packed = new Int8Array(buffer, places.weights, directPlan.packedWeights);
    const zeroPoints = new Int32Array(shape.output.channels);
    const run = fullyConnectedRun(workspace, directPlan, specification, places);
    const computation = packedConvolution(
      workspace,
      directPlan,
      specification,
      packed,
      zeroPoints,
      run,
    );
    return int8Kernel(workspace, shape, computation, places.thresholds, finishDescriptor);
  }
  const places = placeTransform(plan, allocate);
  const finishDescriptor = writeParameters(places);
  writeGatherDescriptor(places);
  const computation = transformedConvolution(
    workspace,
    plan,
    specification,
    places,
    directRun(workspace, directPlan, places),
  );
  return int8Kernel(workspace, shape, computation, places.thresholds, finishDescriptor);
}

/** The contract of a kernel, checked, around the computation of any algorithm. */
function int8Kernel(
  { buffer }: Workspace,
  shape: ConvolutionShape,
  computation: Int8Computation,
  thresholds: number,
  finishDescriptor: Int32Array,
): Int8ConvolutionKernel {
  const weights = weightCount(shape);

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weights);
      checkInt8(value);
      computation.setWeight(index, value);
    },
    setWeights(indices, values) {
      checkWeightIndices(indices, values, weights);
      if (computation.setWeights && values instanceof Int8Array) {
        computation.setWeights(indices, values);
        return;
      }
      for (let place = 0; place < indices.length; place++) {
        checkInt8(values[place]);
        computation.setWeight(indices[place], values[place]);
      }
    },
    invertBits(bits) {
      checkInvertedBits(bits, weights);
      computation.invertBits(bits);
    },
    getWeight(index) {
      checkWeightIndex(index, weights);
      return computation.getWeight(index);
    },
    setClip(clip) {
      if (clip) {
        checkClip(clip, shape);
        new Int32Array(buffer, thresholds).set(clip.thresholds);
      }
      writeClip(finishDescriptor, 'int8', clip, shape);
    },
    run(input, output, images, observe) {
      checkTensors(shape, input, output, images);
      checkOwnTensors(buffer, input, output);
      computation.run(input.byteOffset, output.byteOffset, images, observe);
    },
  };
}

/** Gathered windows times the packed weights at `places.weights`. */
function directRun(
  workspace: Workspace,
  plan: ConvolutionPlan,
  places: ConvolutionPlaces,
): Int8Computation['run'] {
  const { buffer, functions } = workspace;
  const convolution: PlacedConvolution = {
    workspace,
    plan,
    places,
    gather: functions.gatherUint8,
    multiply: functions.multiplyInt16,
    finish: functions.requantize,
    activationBytes: 1,
  };
  return (input, output, images, observe) => {
    const { accumulators } = workspace.places;
    runBlocks(
      convolution,
      input,
      output,
      images,
      observe &&
        ((firstRow, rows) => {
          const block = new Int32Array(buffer, accumulators, rows * plan.rowStride);
          observe(block, firstRow, rows, plan.rowStride);
        }),
    );
  };
}

/**
 * A computation on packed weights.
 * @param packed holds zeros
 * @param zeroPoints subtracted from each weight of an output channel
 */
function packedConvolution(
  workspace: Workspace,
  plan: ConvolutionPlan,
  { shape, weights }: Int8ConvolutionSpecification,
  packed: Int8Array | Int16Array,
  zeroPoints: Int32Array,
  run: Int8Computation['run'],
): Int8Computation {
  packWeights(plan, weights, packed, zeroPoints);
  const window = windowSize(shape);
  const taps = shape.kernel[0] * shape.kernel[1];
  const depthShift = 31 - Math.clz32(plan.depth);
  const isPackedInPairs = packed instanceof Int16Array && plan.mergedGroups === 1;

  function setWeight(index: number, value: number): void {
    packed[packedIndex(plan, index)] = value - zeroPoints[Math.floor(index / window)];
  }

  function getWeight(index: number): number {
    return packed[packedIndex(plan, index)] + zeroPoints[Math.floor(index / window)];
  }

  return {
    setWeight,
    setWeights(indices, values) {
      for (let place = 0; place < indices.length; ) {
        const channel = Math.floor(indices[place] / window);
        const first = channel * window;
        if (taps > 1) {
          packed[packedIndex(plan, indices[place])] = values[place++] - zeroPoints[channel];
          continue;
        }
        // Of one tap the weights lie in the order of the input channels, `depth` of them together.
        const column = packedColumn(plan, channel);
        const firstK = firstInput(plan, channel);
        const zeroPoint = zeroPoints[channel];
        const end = first + window;
        for (; place < indices.length && indices[place] < end; place++) {
          const k = firstK + indices[place] - first;
          const offset =
            (k >>> depthShift) * (PANEL_COLUMNS << depthShift) + (k & (plan.depth - 1));
          packed[column + offset] = values[place] - zeroPoint;
        }
      }
    },
    invertBits(bits) {
      if (!isPackedInPairs) {
        for (let index = 0; index < bits.length; index++) {
          if (bits[index] !== 0) setWeight(index, ((getWeight(index) ^ bits[index]) << 24) >> 24);
        }
        return;
      }
      forEachBlock(workspace, bits, shape, (first, count, address) => {
        for (let channel = first; channel < first + count; channel++) {
          workspace.functions.invertPacked(
            packed.byteOffset + packedIndex(plan, channel * window) * plan.elementBytes,
            address + (channel - first) * window,
            window,
            zeroPoints[channel],
            taps,
            window / taps,
            PANEL_COLUMNS * plan.depth * plan.elementBytes,
          );
        }
      });
    },
    getWeight,
    run,
  };
}
