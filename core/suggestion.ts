/** Fewest insertions, deletions and replacements of single characters that turn `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, length) => length);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j] + 1, current[j - 1] + 1));
    }
    previous = current;
  }
  return previous[b.length];
}

/** Nobody mistypes a longer name, and the distance takes time in proportion to it. */
const LONGEST = 100;

/** ` (did you mean "x"?)` for the candidate nearest to a mistyped name, or nothing when none is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  if (name.length > LONGEST) return '';
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= Math.max(1, name.length / 3)
    ? ` (did you mean "${nearest.candidate}"?)`
    : '';
}
