import type { NetworkSummary, StorageSummary, Study } from '../../../campaign/index.js';
import { formatGeometry } from '../../../fault/index.js';
import { memoryGeometry, type StorageName } from '../../../sim/index.js';

/** What a storage is called before its size; `placement` is resident or streamed. */
const HEADS: Readonly<Record<StorageName, (placement: Study['placement']) => string>> = {
  weights: (placement) => `${placement} weight memory`,
  'weight-registers': () => 'weight registers',
  inputs: (placement) => `inputs in the ${placement} feature-map memory`,
  activations: (placement) => `activations in the ${placement} feature-map memory`,
  accumulators: () => 'accumulators',
  multipliers: () => 'product registers of the multipliers',
};

/** What a study breaks, each storage with its size for each network on an accelerator, and what it breaks at once. */
export function formatStorages(
  { placement, storages }: Pick<Study, 'placement' | 'storages'>,
  networks: readonly NetworkSummary[],
): string {
  const [first] = networks;
  const texts = first.storages.map(({ storage }, at) => {
    const sizes = networks.map(
      ({ model, format, accelerator, storages: own }) =>
        `${model} ${format} on ${accelerator}: ${sizeText(own[at])}`,
    );
    return `${HEADS[storage](placement)} (${sizes.join('; ')})`;
  });
  const together = storages.filter((label) => label.includes('+'));
  const atOnce = together.length > 0 ? [`broken at once: ${together.join(', ')}`] : [];
  return [...texts, ...atOnce].join(', ');
}

function sizeText({ memory, geometry: { banks, rows, columns }, valueBits }: StorageSummary) {
  if (memory) return formatGeometry(memoryGeometry(memory));
  const each = `${rows} × ${columns / valueBits} registers of ${valueBits} bits`;
  return banks === 1 ? each : `${banks} × ${each}`;
}
