import { openResults } from '../../campaign/index.js';

/** All that a study saved, in its canonical order, without the times. */
export async function storedContent(folder: string) {
  const stored = await openResults(folder);
  try {
    const { columns, rows } = await stored.rows('trial', {});
    const seconds = columns.indexOf('seconds');
    return {
      configuration: stored.configuration,
      points: stored.points({}),
      trials: rows.map((row) => row.toSpliced(seconds, 1)),
    };
  } finally {
    stored.close();
  }
}
