/** Version of the objects that `--json` prints; it changes when a field changes its meaning. */
const SCHEMA_VERSION = 1;

/** Print a result: one JSON object, or text. */
export function printResult(json: boolean | undefined, result: object, text: () => string): void {
  const output = json ? JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...result }) : text();
  process.stdout.write(`${output}\n`);
}
