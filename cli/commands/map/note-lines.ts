import { formatGeometry, type Provenance } from '../../../fault/index.js';

/** What the file of a map says besides its faults, a line for each label and comment. */
export function noteLines(provenance: Provenance): string[] {
  if (provenance.source !== 'file') return [];
  const { labels = {}, comments = [], placed } = provenance;
  return [
    ...Object.entries(labels).map(([name, values]) => `${name}: ${values.join(', ')}`),
    ...comments.map((comment) => `comment: ${comment}`),
    ...(placed
      ? [`placed from ${formatGeometry(placed)}: ${placed.tile}, offset ${placed.offset.join(',')}`]
      : []),
  ];
}
