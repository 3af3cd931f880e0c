import { weightCount, windowSize } from '../../core/index.js';
import type { Int8ConvolutionKernel, Int8ConvolutionSpecification } from '../backend.js';
import {
  checkClip,
  checkInt8,
  checkInt8Specification,
  checkTensors,
  checkWeightIndex,
} from '../check.js';
import { type PlacedConvolution, runBlocks } from './block-loop.js';
import { CLIP_CODES, CLIP_FIELD, gatherDescriptor, int8FinishDescriptor } from './descriptors.js';
import { planInt8Convolution } from './int8-plan.js';
import { type Int8Computation, transformedConvolution } from './int8-transformed.js';
import { type ConvolutionPlaces, placeConvolution, placeTransform } from './memory.js';
import { packWeights } from './packing.js';
import { type ConvolutionPlan, packedIndex, planConvolution } from './plan.js';
import { checkOwnTensors, type Workspace, writeDescriptor } from './workspace.js';

/** Lays out an int8 convolution in the workspace's memory, for the algorithm of its plan. */
export function int8Convolution(
  workspace: Workspace,
  specification: Int8ConvolutionSpecification,
): Int8ConvolutionKernel {
  checkInt8Specification(specification);
  const { buffer } = workspace;
  const { shape, inputZeroPoint } = specification;
  const plan = planInt8Convolution(shape);
  const directPlan = planConvolution(shape, 'int8');
  const transform =
    plan.algorithm === 'direct'
      ? undefined
      : { plan, places: placeTransform(plan, workspace.allocate) };
  const places = transform?.places ?? placeConvolution(directPlan, workspace.allocate);
  const { thresholds, multipliers } = places;
  new Int32Array(buffer, places.bias).set(specification.bias);
  new Float32Array(buffer, multipliers).set(specification.multipliers);
  writeDescriptor(buffer, places.gatherDescriptor, gatherDescriptor(directPlan, inputZeroPoint));
  const finishDescriptor = writeDescriptor(
    buffer,
    places.finishDescriptor,
    int8FinishDescriptor(directPlan, specification, thresholds, multipliers),
  );
  const runDirect = directRun(workspace, directPlan, places);
  const computation = transform
    ? transformedConvolution(workspace, transform.plan, specification, transform.places, runDirect)
    : directConvolution(workspace, directPlan, specification, places, runDirect);
  const weights = weightCount(shape);

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weights);
      checkInt8(value);
      computation.setWeight(index, value);
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
      finishDescriptor[CLIP_FIELD] = clip ? CLIP_CODES[clip.mode] : 0;
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

function directConvolution(
  { buffer }: Workspace,
  plan: ConvolutionPlan,
  { shape, weights, weightZeroPoints }: Int8ConvolutionSpecification,
  places: ConvolutionPlaces,
  run: Int8Computation['run'],
): Int8Computation {
  const zeroPoints = weightZeroPoints.slice();
  const packed = new Int16Array(buffer, places.weights, plan.packedWeights);
  packWeights(plan, weights, packed, zeroPoints);
  const window = windowSize(shape);
  return {
    setWeight(index, value) {
      packed[packedIndex(plan, index)] = value - zeroPoints[Math.floor(index / window)];
    },
    getWeight(index) {
      return packed[packedIndex(plan, index)] + zeroPoints[Math.floor(index / window)];
    },
    run,
  };
}
