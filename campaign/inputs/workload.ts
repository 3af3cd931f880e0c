import { basename } from 'node:path';
import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../../core/index.js';
import { type ImageSet, loadCifar10, type Network, normalizedPixels } from '../../models/index.js';
import { type InputFile, type Workload, workloadInputs } from '../../workload/index.js';
import { requireCifar10Network } from './cifar10-network.js';
import { readSamples } from './samples.js';
import { sharedCopy } from './shared-copy.js';
import type { ProfileData } from './thresholds.js';

/** One of so many given samples serves to profile thresholds. */
const CALIBRATION_PART = 10;

/** Where the samples of a study come from. */
export interface DataOptions {
  /** Folder of CIFAR-10's binary files; default: the installed data package. */
  readonly folder?: string | undefined;
  /** Samples without labels, instead of CIFAR-10's test images. */
  readonly inputs?: readonly InputFile[] | undefined;
}

/** What a study measures on, and what thresholds of clips are profiled on. */
export interface StudySamples {
  readonly workload: Workload;
  readonly profile: ProfileData;
}

/**
 * The samples of a study: CIFAR-10's test images with their labels, or given ones, which are judged by what the
 * fault-free network makes of them. Where thresholds have to be profiled on given ones, a tenth of them, at least one,
 * is drawn for that by the seed, and nothing is measured on it.
 *
 * @param networks what the samples are for, at least one
 * @throws InputError when they cannot be read, or are not what each network takes
 */
export function loadSamples(
  networks: readonly Network[],
  { folder, inputs }: DataOptions,
  seed: number,
  isProfiled: boolean,
): StudySamples {
  if (!inputs) {
    for (const network of networks) requireCifar10Network(network);
    return {
      workload: cifar10Workload(loadCifar10({ folder, split: 'test' })),
      profile: { folder },
    };
  }
  const all = givenWorkload(networks, inputs);
  if (!isProfiled || all.samples === 1) {
    return { workload: all, profile: { calibration: undefined } };
  }
  const stream = createRandomStream(seed, 0, PURPOSE.calibrationChoice);
  const count = Math.max(1, Math.floor(all.samples / CALIBRATION_PART));
  const chosen = new Set(sampleWithoutReplacement(stream, all.samples, count));
  const partOf = (isWanted: (sample: number) => boolean): Workload => {
    const indices = Array.from({ length: all.samples }, (_, sample) => sample).filter(isWanted);
    return { ...all, samples: indices.length, values: sharedCopy(workloadInputs(all, indices)) };
  };
  return {
    workload: partOf((sample) => !chosen.has(sample)),
    profile: { calibration: partOf((sample) => chosen.has(sample)) },
  };
}

/**
 * Samples of files, without labels.
 *
 * @param networks what they are for, at least one
 * @throws InputError when they cannot be read, or are not what each network takes
 */
export function givenWorkload(
  networks: readonly Network[],
  inputs: readonly InputFile[],
): Workload {
  const [first, ...others] = networks;
  const samples = readSamples(first, inputs);
  for (const network of others) readSamples(network, inputs);
  return {
    ...samples,
    files: inputs,
    name: inputs.map(({ file }) => basename(file)).join(', '),
    values: sharedCopy(samples.values),
  };
}

/** Labelled images of CIFAR-10 as a workload, normalised as `normalize` does it. */
export function cifar10Workload({ images, labels, count }: ImageSet): Workload {
  return {
    name: 'CIFAR-10',
    samples: count,
    sampleLength: images.length / count,
    values: images,
    tables: normalizedPixels(),
    labels,
  };
}
