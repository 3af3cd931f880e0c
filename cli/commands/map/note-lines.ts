import { formatGeometry, type Provenance } from '../../../fault/index.js';

/** What a map says besides its faults, a line for its storage and each label and comment. */
export function noteLines(provenance: Provenance): string[] {
  const storage = provenance.storage === undefined ? [] : [`storage: ${provenance.storage}`];
  if (provenance.source !== 'file') return storage;
  const { labels = {}, comments = [], placed } = provenance;
  return [
    ...storage,
    ...Object.entries(labels).map(([name, values]) => `${name}: ${values.join(', ')}`),
    ...comments.map((comment) => `comment: ${comment}`),
    ...(placed
      ? [`placed from ${formatGeometry(placed)}: ${placed.tile}, offset ${placed.offset.join(',')}`]
      : []),
  ];
}
