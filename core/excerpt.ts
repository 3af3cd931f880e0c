const LONGEST = 80;

/** A value as it stands in a file, shortened for a message. */
export function excerpt(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 3)}...`;
}

/** A value as JSON, shortened for a message. */
export function shownValue(value: unknown): string {
  return excerpt(JSON.stringify(value) ?? String(value));
}
