import { weightCount } from '../../core/index.js';
import type { Float32ConvolutionKernel, Float32ConvolutionSpecification } from '../backend.js';
import { checkClip, checkFloat32Specification, checkTensors, checkWeightIndex } from '../check.js';
import { type PlacedConvolution, runBlocks } from './block-loop.js';
import {
  CLIP_CODES,
  CLIP_FIELD,
  float32FinishDescriptor,
  gatherDescriptor,
} from './descriptors.js';
import { placeConvolution } from './memory.js';
import { packWeights } from './packing.js';
import { packedIndex, planConvolution } from './plan.js';
import { checkOwnTensors, type Workspace, writeDescriptor } from './workspace.js';

/** Packs a float32 convolution into the workspace's memory. */
export function float32Convolution(
  workspace: Workspace,
  specification: Float32ConvolutionSpecification,
): Float32ConvolutionKernel {
  checkFloat32Specification(specification);
  const { buffer, functions } = workspace;
  const { shape } = specification;
  const plan = planConvolution(shape, 'float32');
  const places = placeConvolution(plan, workspace.allocate);
  const { thresholds } = places;
  const packed = new Float32Array(buffer, places.weights, plan.packedWeights);
  packWeights(plan, specification.weights, packed);
  new Float32Array(buffer, places.bias).set(specification.bias);
  writeDescriptor(buffer, places.gatherDescriptor, gatherDescriptor(plan, 0));
  const finishDescriptor = writeDescriptor(
    buffer,
    places.finishDescriptor,
    float32FinishDescriptor(plan, specification, thresholds),
  );
  const convolution: PlacedConvolution = {
    workspace,
    plan,
    places,
    gather: functions.gatherFloat32,
    multiply: functions.multiplyFloat32,
    finish: functions.finishFloat32,
    activationBytes: 4,
  };
  const weights = weightCount(shape);

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weights);
      packed[packedIndex(plan, index)] = value;
    },
    getWeight(index) {
      checkWeightIndex(index, weights);
      return packed[packedIndex(plan, index)];
    },
    setClip(clip) {
      if (clip) {
        checkClip(clip, shape);
        new Float32Array(buffer, thresholds).set(clip.thresholds);
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
            const block = new Float32Array(buffer, accumulators, rows * plan.rowStride);
            observe(block, firstRow, rows, plan.rowStride);
          }),
      );
    },
  };
}
