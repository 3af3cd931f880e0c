import { featureCount, InputError, PAGE_BYTES, requireMemory } from '../../../core/index.js';
import type { KernelBackend } from '../../backend.js';
import { checkFaultySums, checkSumsInput } from '../../check.js';
import type { FaultySumsKernel, FaultySumsSpecification } from '../../faulty-sums.js';
import { layoutBytes } from '../../layouts.js';
import { bumpAllocator } from '../memory.js';
import { instantiateKernels, type KernelFunctions, type KernelModule } from '../module.js';
import {
  type PlacedGroup,
  type PlacedPart,
  type PlacedSums,
  placeSums,
  sharedBytes,
} from './places.js';
import { type SharedPlaces, writeSums } from './write.js';

/** Kernels for the sums of faulty registers, over one memory. */
export interface FaultySumsRunner {
  /**
   * Kernels of these specifications, in the place of those prepared before, which can be run no longer.
   *
   * @throws ModelError unless all specifications are consistent
   * @throws InputError when they need more memory than may be taken
   */
  prepare(specifications: readonly FaultySumsSpecification[]): FaultySumsKernel[];
}

const MOST_PAGES = 65_536;

/** A kernel's last vector load may reach past the last allocation. */
const OVERREAD_BYTES = 16;

/** The kernels of faulty sums of a backend, whose memory is made when they are first asked for: few backends ever are. */
export function faultySumsOn(module: KernelModule): KernelBackend['faultySums'] {
  let runner: FaultySumsRunner | undefined;
  return (specifications) => {
    runner ??= createFaultySumsRunner(module);
    return runner.prepare(specifications);
  };
}

/**
 * The kernels of {@link FaultySumsSpecification} in WebAssembly SIMD, equal to the reference to the bit (any NaN equals
 * any NaN). Their memory grows to what the largest call of `prepare` needs. A memory reserves gigabytes of addresses:
 * make one runner a thread, not one a layer.
 */
export function createFaultySumsRunner(module: KernelModule): FaultySumsRunner {
  const { memory, functions } = instantiateKernels(module, 1, MOST_PAGES);
  let generation = 0;

  return {
    prepare(specifications) {
      for (const specification of specifications) checkFaultySums(specification);
      const allocate = bumpAllocator(Number.POSITIVE_INFINITY);
      const layers = specifications.map((specification) => placeSums(specification, allocate));
      const needs = layers.map(sharedBytes);
      const largest = (name: keyof SharedPlaces) =>
        needs.reduce((most, bytes) => Math.max(most, bytes[name]), 0);
      const shared: SharedPlaces = {
        images: allocate(largest('images')),
        staging: allocate(largest('staging')),
        windows: allocate(largest('windows')),
        sums: allocate(largest('sums')),
        results: allocate(largest('results')),
      };
      const bytes = allocate(0) + OVERREAD_BYTES;
      requireMemory(bytes, `The sums of faulty registers in ${layers.length} layers`);
      const pages = Math.ceil(bytes / PAGE_BYTES);
      if (pages > MOST_PAGES) {
        throw new InputError(
          `The sums of faulty registers take ${bytes} bytes; the most is ${MOST_PAGES * PAGE_BYTES}: use a map of fewer faults.`,
        );
      }
      const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
      if (missing > 0) memory.grow(missing);
      const { buffer } = memory;
      const own = ++generation;
      for (const layer of layers) writeSums(buffer, functions, layer, shared);
      return layers.map((layer) => {
        const run = runOn(buffer, functions, layer, shared);
        return {
          get sums() {
            return run.sums;
          },
          run(input, images) {
            if (own !== generation) {
              throw new InputError(
                'These faulty sums were replaced by others that were prepared after them: prepare them together.',
              );
            }
            checkSumsInput(layer.specification, input, images);
            run.run(input, images);
          },
        };
      });
    },
  };
}

function runOn(
  buffer: ArrayBuffer,
  functions: KernelFunctions,
  placed: PlacedSums,
  shared: SharedPlaces,
): FaultySumsKernel {
  const { specification, blockImages, groups } = placed;
  const { format, shape } = specification;
  const isInt8 = format === 'int8';
  const imageLength = featureCount(shape.input);
  const List = isInt8 ? Int32Array : Float32Array;
  const Values = isInt8 ? Uint8Array : Float32Array;
  const inputs = new Values(buffer, shared.images, blockImages * imageLength);
  const results = new List(buffer, shared.results);
  const add = isInt8 ? functions.addFaultySumsInt16 : functions.addFaultySumsFloat32;
  const gather = gatherOn(functions, placed, shared);
  const sums = specification.groups.map(({ parts }) => parts.map(() => new List()));

  function runPart(
    { part, program, stretches }: PlacedPart,
    rows: number,
    target: Int32Array | Float32Array,
    firstRow: number,
  ): void {
    const channels = part.channels.length;
    for (let stretch = 0; stretch < program.stretches.length; stretch++) {
      add(stretches + stretch * layoutBytes('SumStretch'), rows);
    }
    functions.collectFaultySums(stretches, rows, channels, shared.results);
    target.set(results.subarray(0, rows * channels), firstRow * channels);
  }

  function runGroup(
    { group, isWhole, positions, blockRows, parts }: PlacedGroup,
    targets: (Int32Array | Float32Array)[],
    firstImage: number,
    images: number,
  ): void {
    const count = group.positions.length;
    const total = images * count;
    for (let firstRow = 0; firstRow < total; firstRow += blockRows) {
      const rows = Math.min(blockRows, total - firstRow);
      let gathered = -1;
      for (const part of parts) {
        const wanted = isWhole ? 0 : part.convolutionGroup;
        if (wanted !== gathered) {
          const descriptor = isWhole ? placed.wholeDescriptor : placed.descriptor;
          gather(descriptor, positions, count, firstRow, rows, wanted);
          gathered = wanted;
        }
        runPart(part, rows, targets[part.number], firstImage * count + firstRow);
      }
    }
  }

  return {
    sums,
    run(input, images) {
      for (const [group, { positions, parts }] of specification.groups.entries()) {
        for (const [part, { channels }] of parts.entries()) {
          const length = images * positions.length * channels.length;
          if (sums[group][part].length !== length) sums[group][part] = new List(length);
        }
      }
      for (let first = 0; first < images; first += blockImages) {
        const count = Math.min(blockImages, images - first);
        inputs.set(input.subarray(first * imageLength, (first + count) * imageLength));
        for (const [number, group] of groups.entries()) {
          runGroup(group, sums[number], first, count);
        }
      }
    },
  };
}

/** Gathers the windows of `rows` image-major positions of a group of parts, from number `firstRow` on. */
type Gather = (
  descriptor: number,
  positions: number,
  count: number,
  firstRow: number,
  rows: number,
  convolutionGroup: number,
) => void;

function gatherOn(
  functions: KernelFunctions,
  { specification, byChannel, taps, padding }: PlacedSums,
  { images, windows }: SharedPlaces,
): Gather {
  if (byChannel) {
    return (descriptor, positions, count, firstRow, rows, group) =>
      functions.gatherChannels(
        descriptor,
        images,
        windows,
        positions,
        count,
        firstRow,
        rows,
        group,
        taps,
        padding,
      );
  }
  const gather =
    specification.format === 'int8'
      ? functions.gatherPositionsUint8
      : functions.gatherPositionsFloat32;
  return (descriptor, ...rest) => gather(descriptor, images, windows, ...rest);
}
