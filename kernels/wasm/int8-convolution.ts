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
import { placeConvolution } from './memory.js';
import { packWeights } from './packing.js';
import { packedIndex, planConvolution } from './plan.js';
import { checkOwnTensors, type Workspace, writeDescriptor } from './workspace.js';

/** Packs an int8 convolution into the workspace's memory. */
export function int8Convolution(
  workspace: Workspace,
  specification: Int8ConvolutionSpecification,
): Int8ConvolutionKernel {
  checkInt8Specification(specification);
  const { buffer, functions } = workspace;
  const { shape, inputZeroPoint } = specification;
  const zeroPoints = specification.weightZeroPoints.slice();
  const plan = planConvolution(shape, 'int8');
  const places = placeConvolution(plan, workspace.allocate);
  const { thresholds, multipliers } = places;
  const packed = new Int16Array(buffer, places.weights, plan.packedWeights);
  packWeights(plan, specification.weights, packed, zeroPoints);
  new Int32Array(buffer, places.bias).set(specification.bias);
  new Float32Array(buffer, multipliers).set(specification.multipliers);
  writeDescriptor(buffer, places.gatherDescriptor, gatherDescriptor(plan, inputZeroPoint));
  const finishDescriptor = writeDescriptor(
    buffer,
    places.finishDescriptor,
    int8FinishDescriptor(plan, specification, thresholds, multipliers),
  );
  const convolution: PlacedConvolution = {
    workspace,
    plan,
    places,
    gather: functions.gatherUint8,
    multiply: functions.multiplyInt16,
    finish: functions.requantize,
    activationBytes: 1,
  };
  const weights = weightCount(shape);
  const window = windowSize(shape);

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weights);
      checkInt8(value);
      packed[packedIndex(plan, index)] = value - zeroPoints[Math.floor(index / window)];
    },
    getWeight(index) {
      checkWeightIndex(index, weights);
      return packed[packedIndex(plan, index)] + zeroPoints[Math.floor(index / window)];
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
      const { accumulators } = workspace.places;
      runBlocks(
        convolution,
        input.byteOffset,
        output.byteOffset,
        images,
        observe &&
          ((firstRow, rows) => {
            const block = new Int32Array(buffer, accumulators, rows * plan.rowStride);
            observe(block, firstRow, rows, plan.rowStride);
          }),
      );
    },
  };
}
