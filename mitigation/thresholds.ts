import { z } from 'zod';
import { InputError, parseJson, readFileChecked, writeFileAtomic } from '../core/index.js';
import { type Network, weightedLayers } from '../models/index.js';

const FORMAT = 'bitcell-thresholds';
const VERSION = 1;

const layersOf = <T extends z.ZodType<number>>(threshold: T) =>
  z.record(z.string(), z.array(threshold).min(1)).readonly();

const schema = z
  .strictObject({
    format: z.literal(FORMAT),
    version: z.literal(VERSION),
    network: z.strictObject({ name: z.string(), checksum: z.string() }).readonly(),
    found: z
      .strictObject({ method: z.literal('profile-maximum'), images: z.int().positive() })
      .readonly(),
    int8: layersOf(z.int32()).optional(),
    float32: layersOf(z.number()).optional(),
  })
  .readonly();

/**
 * The content of a `thresholds.json`: clip thresholds of one network by layer name, for one or both
 * word formats, and how they were found. int8: accumulator thresholds, one per output channel.
 * float32: one for the layer, or one per output channel.
 */
export type Thresholds = z.infer<typeof schema>;

/** Read and check a `thresholds.json`. Throws InputError naming the file and the place. */
export function readThresholds(file: string): Thresholds {
  const content = parseJson(new TextDecoder().decode(readFileChecked(file)), file);
  const result = schema.safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new InputError(
      `${file} is not a ${FORMAT} file of version ${VERSION}: at ${issue.path.join('.') || 'the top'}: ${issue.message}`,
    );
  }
  return result.data;
}

/** Write a `thresholds.json`, one layer a line. */
export function writeThresholds(file: string, thresholds: Thresholds): void {
  const layerLines = (layers: Readonly<Record<string, readonly number[]>>) =>
    `{\n${Object.entries(layers)
      .map(([name, values]) => `    ${JSON.stringify(name)}: ${JSON.stringify(values)}`)
      .join(',\n')}\n  }`;
  const { int8, float32, ...head } = thresholds;
  const fields = [
    ...Object.entries(head).map(([key, value]) => [key, JSON.stringify(value)]),
    ...(int8 ? [['int8', layerLines(int8)]] : []),
    ...(float32 ? [['float32', layerLines(float32)]] : []),
  ];
  const lines = fields.map(([key, value]) => `  ${JSON.stringify(key)}: ${value}`);
  writeFileAtomic(file, `{\n${lines.join(',\n')}\n}\n`);
}

/**
 * The thresholds of one word format, checked against the network they are to serve.
 *
 * @param where the file, named in errors
 * @throws InputError when they belong to another network, or name a layer it does not have, or have
 * the wrong number of channels
 */
export function thresholdsFor(
  network: Network,
  thresholds: Thresholds,
  where: string,
): ReadonlyMap<string, readonly number[]> {
  if (thresholds.network.checksum !== network.checksum) {
    throw new InputError(
      `${where} holds thresholds of ${thresholds.network.name} (checksum ${short(thresholds.network.checksum)}), ` +
        `not of ${network.name} (checksum ${short(network.checksum)})`,
    );
  }
  const layers = thresholds[network.format];
  if (!layers) throw new InputError(`${where} holds no thresholds for ${network.format} words`);
  const channels = new Map(
    weightedLayers(network).map(({ name, shape }) => [name, shape.output.channels]),
  );
  for (const [name, values] of Object.entries(layers)) {
    const expected = channels.get(name);
    if (expected === undefined) {
      throw new InputError(`${where}: ${network.name} has no layer "${name}"`);
    }
    const perLayer = network.format === 'float32' && values.length === 1;
    if (values.length !== expected && !perLayer) {
      throw new InputError(
        `${where}: layer "${name}" has ${values.length} thresholds, expected ${expected}`,
      );
    }
  }
  return new Map(Object.entries(layers));
}

function short(checksum: string): string {
  return checksum.slice(0, 12);
}
