import { weightCount, windowSize } from '../../../core/index.js';
import type { Int8ConvolutionSpecification } from '../../backend.js';
import type { TransformPlaces } from '../memory.js';
import { packWeights } from '../packing.js';
import { packedIndex, planConvolution } from '../plan.js';
import type { Workspace } from '../workspace.js';
import { forEachBlock } from './blocks-of-bits.js';
import { channelBounds } from './bounds.js';
import { SIDE_CHANNELS, type TransformPlan } from './plan.js';

/** 3×3 kernels transformed by one call: a call that never returned would stay in unoptimised code. */
const KERNELS_PER_CALL = 4096;

/** Blocks of up to 32 kernels. */
const BLOCKS_PER_CALL = KERNELS_PER_CALL / 32;

/**
 * Weights in network order and their transformed copy. A change is noted and reaches the copy in `update`,
 * so that many changes cost one pass over what they touch.
 */
export interface TransformedWeights {
  set(index: number, value: number): void;
  /** In ascending order. */
  setAll(indices: Uint32Array, values: Int8Array): void;
  /** A byte for each weight. */
  invert(bits: Uint8Array): void;
  get(index: number): number;
  /**
   * Bring the copies up to date. Channels without a proof are listed in `side`, at most SIDE_CHANNELS of
   * them; when there are more, the whole layer is packed for the direct algorithm.
   */
  update(): { readonly algorithm: 'transformed' | 'direct'; readonly side: readonly number[] };
}

export function transformedWeights(
  workspace: Workspace,
  plan: TransformPlan,
  specification: Int8ConvolutionSpecification,
  places: TransformPlaces,
): TransformedWeights {
  const { buffer, functions } = workspace;
  const { shape, algorithm, elements } = plan;
  const { transformDescriptor, changed: changedAddress } = places;
  const { weightZeroPoints, bias } = specification;
  const total = weightCount(shape);
  const blocks = plan.panels * Math.ceil(shape.input.channels / 2);
  const window = windowSize(shape);
  const channels = shape.output.channels;
  const stored = new Int8Array(buffer, places.storedWeights, total);
  const zeroPoints = new Int32Array(buffer, places.weightZeroPoints, channels);
  const changed = new Uint32Array(buffer, changedAddress, plan.mostChanged);
  const bounds = algorithm === 'winograd-4x4' ? channelBounds(specification) : undefined;
  const directPlan = planConvolution(shape, 'int8');
  const sidePlan = planConvolution(
    { ...shape, output: { ...shape.output, channels: SIDE_CHANNELS } },
    'int8',
  );
  const region = new Int16Array(buffer, places.weights, plan.weightBytes / 2);
  const sideWeights = new Int16Array(buffer, places.sideWeights, sidePlan.packedWeights);
  const sideBias = new Int32Array(buffer, places.sideBias, SIDE_CHANNELS);
  stored.set(specification.weights);
  zeroPoints.set(weightZeroPoints);
  let changes = Number.POSITIVE_INFINITY;
  let state: ReturnType<TransformedWeights['update']> = { algorithm: 'transformed', side: [] };

  function unprovenChannels(): number[] {
    const unproven: number[] = [];
    for (let channel = 0; bounds && channel < channels; channel++) {
      if (!bounds.isProven(channel)) unproven.push(channel);
    }
    return unproven;
  }

  function transformChanged(): void {
    for (let first = 0; first < changes; first += KERNELS_PER_CALL) {
      const count = Math.min(KERNELS_PER_CALL, changes - first);
      functions.transformWeights(transformDescriptor, elements, changedAddress + first * 4, count);
    }
  }

  function transformAll(): void {
    for (let first = 0; first < blocks; first += BLOCKS_PER_CALL) {
      const count = Math.min(BLOCKS_PER_CALL, blocks - first);
      functions.transformBlocks(transformDescriptor, elements, first, count);
    }
  }

  function packChanged(): void {
    for (let i = 0; i < changes; i++) {
      for (let index = changed[i] * 9; index < changed[i] * 9 + 9; index++) {
        region[packedIndex(directPlan, index)] =
          stored[index] - zeroPoints[Math.floor(index / window)];
      }
    }
  }

  function packAll(): void {
    region.fill(0);
    packWeights(directPlan, stored, region, zeroPoints);
  }

  function packSide(side: readonly number[]): void {
    const weights = new Int8Array(SIDE_CHANNELS * window);
    const sideZeroPoints = new Int32Array(SIDE_CHANNELS);
    for (const [column, channel] of side.entries()) {
      weights.set(stored.subarray(channel * window, (channel + 1) * window), column * window);
      sideZeroPoints[column] = zeroPoints[channel];
      sideBias[column] = bias[channel];
    }
    packWeights(sidePlan, weights, sideWeights, sideZeroPoints);
  }

  function noteChange(kernel: number): void {
    // Changes come in ascending order: those of one 3×3 kernel follow each other.
    if (changes > 0 && changed[changes - 1] === kernel) return;
    if (changes < plan.mostChanged) changed[changes++] = kernel;
    else changes = Number.POSITIVE_INFINITY;
  }

  return {
    set(index, value) {
      bounds?.change(Math.floor(index / window), stored[index], value);
      stored[index] = value;
      noteChange(Math.floor(index / 9));
    },
    setAll(indices, values) {
      bounds?.changeAll(stored, indices, values);
      for (let place = 0; place < indices.length; place++) stored[indices[place]] = values[place];
      for (let place = 0; place < indices.length && changes < Number.POSITIVE_INFINITY; place++) {
        noteChange(Math.floor(indices[place] / 9));
      }
    },
    invert(bits) {
      const { accumulators: sums } = workspace.places;
      forEachBlock(workspace, bits, shape, (channel, count, address) => {
        const first = channel * window;
        functions.invertStored(
          ...[places.storedWeights + first, address, window],
          ...[count, places.weightZeroPoints + channel * 4, sums],
        );
        const found = new Int32Array(buffer, sums, 2 * count);
        for (let place = 0; place < count; place++) {
          bounds?.replace(channel + place, found[2 * place], found[2 * place + 1]);
        }
        if (changes === Number.POSITIVE_INFINITY) return;
        const kernels = (count * window) / 9;
        const most = plan.mostChanged;
        changes = functions.listInverted(
          ...[address, first / 9, kernels],
          ...[changedAddress, changes, most],
        );
        if (changes > most) changes = Number.POSITIVE_INFINITY;
      });
    },
    get: (index) => stored[index],
    update() {
      if (changes === 0) return state;
      const unproven = unprovenChannels();
      const now = unproven.length > SIDE_CHANNELS ? 'direct' : 'transformed';
      const all = changes === Number.POSITIVE_INFINITY || now !== state.algorithm;
      if (now === 'direct') {
        if (all) packAll();
        else packChanged();
      } else {
        if (all) transformAll();
        else transformChanged();
        if (unproven.length > 0) packSide(unproven);
      }
      state = { algorithm: now, side: now === 'direct' ? [] : unproven };
      changes = 0;
      return state;
    },
  };
}
