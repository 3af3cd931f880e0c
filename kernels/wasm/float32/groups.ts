import { writeDescriptor } from '../workspace.js';
import { groupsFields } from './descriptors.js';
import type { ImageRun, PlacedFloat32Convolution } from './direct.js';
import type { GroupsPlaces } from './memory.js';

const FLOAT32_BYTES = 4;

/** Sums of one block: they stay in a level-2 cache until they are finished. */
const SUM_BYTES = 64 * 1024;

/** Writes what the kernel reads besides weights and bias. */
export function writeGroups(
  { workspace, layout, places }: PlacedFloat32Convolution,
  groups: GroupsPlaces,
): void {
  const { shape } = layout.plan;
  const { channels } = shape.output;
  const groupInputs = shape.input.channels / shape.groups;
  const firstInputs = new Int32Array(workspace.buffer, groups.firstInputs, channels);
  for (let channel = 0; channel < channels; channel++) {
    const group = Math.floor((channel * shape.groups) / channels);
    firstInputs[channel] = group * groupInputs * FLOAT32_BYTES;
  }
  const fields = groupsFields(layout, places, groups);
  writeDescriptor(workspace, groups.descriptor, 'Float32GroupsDescriptor', fields);
}

/** Computes all channels by `direct`, those of several groups in one vector. */
export function runGroups(
  { workspace, layout }: PlacedFloat32Convolution,
  { descriptor }: GroupsPlaces,
  run: ImageRun,
): void {
  const { functions, places: shared } = workspace;
  const { channels, height, width } = layout.plan.shape.output;
  const positions = height * width;
  const total = run.images * positions;
  const sumBytes = layout.direct.rowStride * FLOAT32_BYTES;
  const outputBytes = channels * FLOAT32_BYTES;
  const blockRows = Math.min(
    layout.direct.blockRows,
    Math.max(1, Math.floor(SUM_BYTES / sumBytes)),
  );
  for (let firstRow = 0; firstRow < total; firstRow += blockRows) {
    const rows = Math.min(blockRows, total - firstRow);
    functions.addFloat32Groups(descriptor, run.input, shared.accumulators, firstRow, rows);
    functions.finishFloat32Rows(
      run.finish,
      shared.accumulators,
      sumBytes,
      run.output + firstRow * outputBytes,
      outputBytes,
      rows,
      firstRow % positions,
      1,
    );
  }
}
