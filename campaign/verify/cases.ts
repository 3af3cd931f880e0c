import { rateText } from '../../core/index.js';
import { type FaultKind, uniformFaultMap } from '../../fault/index.js';
import {
  int8Clips,
  type LayerThresholds,
  type NetworkClip,
  thresholdCount,
} from '../../mitigation/index.js';
import {
  type Int8Network,
  type Network,
  type QuantizedWriteOptions,
  writeClipped,
  writeQdq,
  writeQOperator,
} from '../../models/index.js';
import {
  type Accelerator,
  applyFaultMap,
  placeNetwork,
  storedWords,
  type WeightPatches,
  withWords,
} from '../../sim/index.js';
import type { OptimizationLevel } from './onnxruntime.js';
import type { VerifyOptions } from './result.js';

/** One network as both sides see it: Bitcell patches words, onnxruntime reads a written ONNX file. */
export interface VerificationCase {
  readonly name: string;
  readonly images: number;
  readonly level: OptimizationLevel;
  /** The ONNX file for onnxruntime; written when needed, since it holds a whole network. */
  readonly writeModel: (options: QuantizedWriteOptions) => Uint8Array;
  readonly patches?: WeightPatches;
  readonly clips: ReturnType<typeof int8Clips>;
  /** Whether the model is the QDQ file, whose groups onnxruntime may leave unfused. */
  readonly qdq: boolean;
}

/** Images that a faulted, and that a clipped case runs at most; the clean cases run all. */
const FAULTED_IMAGES = 100;
const CLIPPED_IMAGES = 1000;

const RATES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2] as const;
const KINDS: readonly (FaultKind | 'stuck-at')[] = ['flip', 'stuck-at-0', 'stuck-at-1', 'stuck-at'];

/** Profile maxima clip next to nothing of a clean network, so that thresholds are halved, too. */
const THRESHOLD_SHARES = [1, 0.5] as const;

/**
 * The cases of a verification: clean; 20 fault maps (five rates up to 1e-2, four kinds); clipped and
 * clamped, clean and faulted; clipped at tuned thresholds, and as a given mitigation says, where there are such; a few with a threshold for each neuron
 * and after requantisation.
 */
export function verificationCases({
  network,
  accelerator,
  thresholds,
  images,
  tuned,
  given,
}: Pick<
  VerifyOptions,
  'network' | 'accelerator' | 'thresholds' | 'images' | 'tuned' | 'given'
>): VerificationCase[] {
  const faults = faultMaps(network, accelerator);
  const faultedImages = Math.min(images, FAULTED_IMAGES);
  const worst = faults[faults.length - KINDS.length];
  const clipped = (name: string, clips: VerificationCase['clips']) => [
    ...clippedCases(name, network, clips, Math.min(images, CLIPPED_IMAGES)),
    ...clippedCases(`${name}, ${worst.name}`, network, clips, faultedImages, worst.patches),
  ];
  return [
    ...plainCases('clean', network, images),
    ...faults.flatMap(({ name, patches }) => plainCases(name, network, faultedImages, patches)),
    ...(['clip', 'clamp'] as const).flatMap((mitigation) =>
      THRESHOLD_SHARES.flatMap((share) =>
        clipped(
          `${mitigation} at ${share} of the profile`,
          int8Clips(mitigation, network, scaled(thresholds, share)),
        ),
      ),
    ),
    ...(tuned ? clipped('clip at tuned thresholds', int8Clips('clip-tuned', network, tuned)) : []),
    ...(given ? clipped(given.name, int8ClipsOf(network, given.clip)) : []),
    ...variants(network, thresholds).flatMap(({ name, clips }) => [
      ...clippedCases(name, network, clips, faultedImages),
      ...clippedCases(`${name}, ${worst.name}`, network, clips, faultedImages, worst.patches),
    ]),
  ];
}

function int8ClipsOf(network: Int8Network, { use, thresholds, position }: NetworkClip) {
  return int8Clips(use, network, thresholds, position);
}

function plainCases(
  name: string,
  network: Int8Network,
  images: number,
  patches?: WeightPatches,
): VerificationCase[] {
  const parts = { images, clips: new Map(), ...(patches && { patches }) };
  return [
    {
      name: `${name}, QOperator at disabled`,
      ...parts,
      level: 'disabled',
      qdq: false,
      writeModel: (options) => writeQOperator(faulty(network, patches), options),
    },
    {
      name: `${name}, QDQ at all`,
      ...parts,
      level: 'all',
      qdq: true,
      writeModel: (options) => writeQdq(faulty(network, patches), options),
    },
  ];
}

function clippedCases(
  name: string,
  network: Int8Network,
  clips: VerificationCase['clips'],
  images: number,
  patches?: WeightPatches,
): VerificationCase[] {
  return (['disabled', 'all'] as const).map((level) => ({
    name: `${name}, ${level}`,
    images,
    clips,
    ...(patches && { patches }),
    level,
    qdq: false,
    writeModel: (options) => writeClipped(faulty(network, patches), clips, options),
  }));
}

/** Clips with a threshold for each neuron, and clips after requantisation. */
function variants(
  network: Int8Network,
  profile: LayerThresholds,
): { readonly name: string; readonly clips: VerificationCase['clips'] }[] {
  const perNeuron = neuronThresholds(network, profile);
  return [
    { name: 'clip per neuron', clips: int8Clips('clip', network, perNeuron) },
    {
      name: 'clip at 0.5 of the profile, requantised',
      clips: int8Clips('clip', network, scaled(profile, 0.5), 'requantised'),
    },
    {
      name: 'clamp per neuron, requantised',
      clips: int8Clips('clamp', network, perNeuron, 'requantised'),
    },
  ];
}

/** Shares of the profile that neighbouring neurons get, so that no two of them have the same threshold. */
const NEURON_SHARES = [0.25, 1, 0.5, 0.75, 0.375] as const;

/** A threshold for each neuron, of a profile of any granularity. */
export function neuronThresholds(network: Network, profile: LayerThresholds): LayerThresholds {
  const convert = network.format === 'int8' ? Math.floor : Math.fround;
  return new Map(
    [...profile].map(([layer, values]) => {
      const count = thresholdCount(network, layer, 'neuron');
      const neurons = Array.from({ length: count }, (_, neuron) =>
        convert(
          values[Math.floor((neuron * values.length) / count)] *
            NEURON_SHARES[neuron % NEURON_SHARES.length],
        ),
      );
      return [layer, neurons];
    }),
  );
}

function scaled(thresholds: LayerThresholds, share: number): LayerThresholds {
  return new Map(
    [...thresholds].map(([layer, values]) => [layer, values.map((t) => Math.floor(t * share))]),
  );
}

function faulty(network: Int8Network, patches: WeightPatches | undefined): Int8Network {
  return patches ? withWords(network, patches) : network;
}

function faultMaps(
  network: Int8Network,
  accelerator: Accelerator,
): { readonly name: string; readonly patches: WeightPatches }[] {
  const placement = placeNetwork(network, accelerator, 'resident');
  const words = storedWords(network);
  const { geometry } = placement;
  return RATES.flatMap((rate, rateIndex) =>
    KINDS.map((faults, kindIndex) => {
      const trial = rateIndex * KINDS.length + kindIndex;
      const map = uniformFaultMap({ geometry, rate, faults, seed: 1, trial });
      return {
        name: `${faults} at ${rateText(rate)}`,
        patches: applyFaultMap(map, placement, words),
      };
    }),
  );
}
