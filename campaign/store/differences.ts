/**
 * What differs between two values that came from JSON, one clause a difference, named by its path.
 *
 * @param path of the values themselves
 */
export function describeDifferences(before: unknown, after: unknown, path = ''): string[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      describeDifferences(before[name], after[name], path === '' ? name : `${path}.${name}`),
    );
  }
  const [was, is] = [before, after].map((value) => JSON.stringify(value) ?? 'not given');
  return was === is ? [] : [`${path} ${was} is now ${is}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
