import { featureCount, weightCount, windowSize } from '../../../core/index.js';
import type { Float32ConvolutionKernel, Float32ConvolutionSpecification } from '../../backend.js';
import {
  checkClip,
  checkFloat32Specification,
  checkTensors,
  checkWeightIndex,
  checkWeightIndices,
} from '../../check.js';
import { gatherFields, writeClip } from '../descriptors.js';
import { packWeights } from '../packing.js';
import { PANEL_COLUMNS, packedIndex } from '../plan.js';
import { checkOwnTensors, writeDescriptor } from '../workspace.js';
import { createFastAlgorithm } from './algorithm.js';
import { float32FinishFields } from './descriptors.js';
import {
  type Float32Workspace,
  type ImageRun,
  imagesOf,
  type PlacedFloat32Convolution,
  runDirect,
  runDirectChannels,
} from './direct.js';
import { runGroups, writeGroups } from './groups.js';
import { channelsBeyondLimit } from './limits.js';
import { float32Placer, layoutFloat32Convolution } from './memory.js';

const FLOAT32_BYTES = 4;
const PANEL_ROW_BYTES = PANEL_COLUMNS * FLOAT32_BYTES;

/** A function that makes float32 convolutions in a workspace; they share the room for transforms. */
export function float32ConvolutionsOn(
  workspace: Float32Workspace,
): (specification: Float32ConvolutionSpecification) => Float32ConvolutionKernel {
  const place = float32Placer(workspace.allocate);
  return (specification) => {
    checkFloat32Specification(specification);
    const layout = layoutFloat32Convolution(specification.shape);
    return float32Convolution({ workspace, layout, places: place(layout) }, specification);
  };
}

function float32Convolution(
  convolution: PlacedFloat32Convolution,
  specification: Float32ConvolutionSpecification,
): Float32ConvolutionKernel {
  const { workspace, layout, places } = convolution;
  const { buffer, functions } = workspace;
  const { shape } = specification;
  const packed = new Float32Array(buffer, places.weights, layout.direct.packedWeights);
  packWeights(layout.direct, specification.weights, packed);
  const finishFields = writeParameters(convolution, specification);
  const { groups } = places;
  if (groups) writeGroups(convolution, groups);
  const fast = createFastAlgorithm(convolution);
  const beyond = fast && channelsBeyondLimit(specification);
  const taps = shape.kernel[0] * shape.kernel[1];
  const groupInputs = windowSize(shape) / taps;
  const weights = weightCount(shape);

  function compute(run: ImageRun): void {
    if (!fast || !beyond) {
      if (groups) runGroups(convolution, groups, run);
      else runDirect(convolution, run);
      return;
    }
    forEachImageRun(convolution, run, (part, ordinary) => {
      if (ordinary) {
        fast.run(part);
        runDirectChannels(convolution, fast.places, part, beyond.list());
      } else {
        runDirect(convolution, part);
      }
    });
  }

  function setWeight(index: number, value: number): void {
    const place = packedIndex(layout.direct, index);
    const before = packed[place];
    packed[place] = value;
    if (!fast || !beyond) return;
    const kernel = Math.floor(index / taps);
    const output = Math.floor(kernel / groupInputs);
    fast.updateKernel(output, kernel - output * groupInputs);
    beyond.replace(output, before, packed[place]);
  }

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weights);
      setWeight(index, value);
    },
    setWeights(indices, values) {
      checkWeightIndices(indices, values, weights);
      for (let place = 0; place < indices.length; place++) setWeight(indices[place], values[place]);
    },
    getWeight(index) {
      checkWeightIndex(index, weights);
      return packed[packedIndex(layout.direct, index)];
    },
    setClip(clip) {
      if (clip) {
        checkClip(clip, shape);
        new Float32Array(buffer, places.thresholds).set(clip.thresholds);
      }
      writeClip(finishFields, 'float32', clip, shape);
    },
    run(input, output, images, observe) {
      checkTensors(shape, input, output, images);
      checkOwnTensors(buffer, input, output);
      const addresses = { input: input.byteOffset, output: output.byteOffset, images };
      if (!observe) {
        compute({ ...addresses, finish: places.finishDescriptor });
        return;
      }
      // The output holds the sums until they have been seen.
      compute({ ...addresses, finish: places.sumDescriptor });
      const { channels, height, width } = shape.output;
      const rows = images * height * width;
      observe(output, 0, rows, channels);
      const bytes = channels * FLOAT32_BYTES;
      functions.finishFloat32Rows(
        places.finishDescriptor,
        output.byteOffset,
        bytes,
        output.byteOffset,
        bytes,
        rows,
        0,
        1,
      );
    },
  };
}

/** Writes the bias and the descriptors of `direct`; returns the fields of the finish descriptor. */
function writeParameters(
  { workspace, layout, places }: PlacedFloat32Convolution,
  { bias, relu }: Float32ConvolutionSpecification,
): Int32Array {
  const { shape, paddedWindow, panelsPerGroup, rowStride } = layout.direct;
  const { gatherDescriptor, sumDescriptor, finishDescriptor, thresholds } = places;
  new Float32Array(workspace.buffer, places.bias).set(bias);
  writeDescriptor(workspace, gatherDescriptor, 'GatherDescriptor', gatherFields(layout.direct, 0));
  writeDescriptor(workspace, places.directProduct, 'ProductDescriptor', {
    rowBytes: paddedWindow * FLOAT32_BYTES,
    panelBytes: paddedWindow * PANEL_ROW_BYTES,
    panels: panelsPerGroup,
    sumBytes: rowStride * FLOAT32_BYTES,
  });
  const sum = float32FinishFields(shape, false, thresholds);
  writeDescriptor(workspace, sumDescriptor, 'Float32FinishDescriptor', sum);
  const finish = float32FinishFields(shape, relu, thresholds);
  return writeDescriptor(workspace, finishDescriptor, 'Float32FinishDescriptor', finish);
}

/** Splits a run into the longest parts whose images are all within the plan's activation limit, or all not. */
function forEachImageRun(
  convolution: PlacedFloat32Convolution,
  run: ImageRun,
  visit: (part: ImageRun, ordinary: boolean) => void,
): void {
  const { plan } = convolution.layout;
  if (plan.activationLimit === Infinity) {
    visit(run, true);
    return;
  }
  const limit = new Int32Array(Float32Array.of(plan.activationLimit).buffer)[0];
  const length = featureCount(plan.shape.input);
  const isOrdinary = (image: number): boolean => {
    const values = run.input + image * length * FLOAT32_BYTES;
    return convolution.workspace.functions.exceedsFloat32(values, length, limit) === 0;
  };
  let first = 0;
  let ordinary = run.images > 0 && isOrdinary(0);
  for (let image = 1; image <= run.images; image++) {
    const next = image < run.images && isOrdinary(image);
    if (image < run.images && next === ordinary) continue;
    visit(imagesOf(convolution, run, first, image), ordinary);
    first = image;
    ordinary = next;
  }
}
