import { z } from 'zod';
import {
  excerpt,
  firstIssue,
  InputError,
  parseJson,
  readTextChecked,
  writeFileAtomic,
} from '../../core/index.js';
import { arrayLayerNamed, type Network } from '../../models/index.js';
import type { ClipUse, LayerThresholds } from '../activations/clip.js';
import {
  coarsenMaxima,
  GRANULARITIES,
  type Granularity,
  isAsFine,
  thresholdCount,
} from './granularity.js';
import { tuningRecord } from './tuning-record.js';

const FORMAT = 'bitcell-thresholds';
const VERSION = 1;

const granularity = z.enum(GRANULARITIES);

const layersOf = <T extends z.ZodType<number>>(threshold: T) =>
  z.record(z.string(), z.array(threshold).min(1).readonly()).readonly();

const tunedOf = <T extends z.ZodType<number>>(threshold: T) =>
  z.strictObject({ found: tuningRecord, layers: layersOf(threshold) }).readonly();

const schema = z
  .strictObject({
    format: z.literal(FORMAT),
    version: z.literal(VERSION),
    network: z.strictObject({ name: z.string(), checksum: z.string() }).readonly(),
    found: z
      .strictObject({ method: z.literal('profile-maximum'), images: z.int().positive() })
      .readonly(),
    granularity: z
      .strictObject({ int8: granularity.optional(), float32: granularity.optional() })
      .readonly()
      .optional(),
    int8: layersOf(z.int32()).optional(),
    float32: layersOf(z.number()).optional(),
    tuned: z
      .strictObject({
        int8: tunedOf(z.int32()).optional(),
        float32: tunedOf(z.number()).optional(),
      })
      .readonly()
      .optional(),
  })
  .readonly();

/**
 * The content of a `thresholds.json`: clip thresholds of one network by layer name, for one or both
 * word formats, and how they were found. int8: accumulator thresholds, one per output channel. float32: one for the
 * layer, or one per output channel. Both: or one per neuron, in channel, row, column order. `int8` and `float32` hold
 * profile maxima, of the `granularity` where it is given (else as their number says), `tuned` what a search made of
 * them.
 */
export type Thresholds = z.infer<typeof schema>;

/** Read and check a `thresholds.json`. Throws InputError naming the file and the place. */
export function readThresholds(file: string): Thresholds {
  const content = parseJson(readTextChecked(file), file);
  const result = schema.safeParse(content);
  if (!result.success) {
    const { field, message } = firstIssue(result.error, content);
    throw new InputError(
      `${file} is not a ${FORMAT} file of version ${VERSION}: at ${field || 'the top'}: ${excerpt(message)}`,
    );
  }
  return result.data;
}

/** Write a `thresholds.json`, one layer a line. */
export function writeThresholds(file: string, thresholds: Thresholds): void {
  const { int8, float32, tuned, ...head } = thresholds;
  const fields = [
    ...Object.entries(head).map(([key, value]) => [key, JSON.stringify(value)]),
    ...Object.entries({ int8, float32 }).flatMap(([key, layers]) =>
      layers ? [[key, layerLines(layers, '  ')]] : [],
    ),
    ...(tuned ? [['tuned', tunedLines(tuned)]] : []),
  ];
  const lines = fields.map(([key, value]) => `  ${JSON.stringify(key)}: ${value}`);
  writeFileAtomic(file, `{\n${lines.join(',\n')}\n}\n`);
}

function tunedLines(tuned: NonNullable<Thresholds['tuned']>): string {
  const formats = Object.entries(tuned).flatMap(([format, section]) =>
    section
      ? [
          `    ${JSON.stringify(format)}: {\n      "found": ${JSON.stringify(section.found)},\n      "layers": ${layerLines(section.layers, '      ')}\n    }`,
        ]
      : [],
  );
  return `{\n${formats.join(',\n')}\n  }`;
}

function layerLines(layers: Readonly<Record<string, readonly number[]>>, indent: string): string {
  const lines = Object.entries(layers).map(
    ([name, values]) => `${indent}  ${JSON.stringify(name)}: ${JSON.stringify(values)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/**
 * The thresholds of a clip for one word format, checked against the network they are to serve: tuned ones for
 * `clip-tuned`, profile maxima for the others.
 *
 * @param where the file, named in errors
 * @param granularity of profile maxima, made of finer ones if need be; default: as they are
 * @throws InputError when they belong to another network, or name a layer it does not have, or have
 * the wrong number of thresholds; when there are none, or coarser ones only
 */
export function thresholdsFor(
  network: Network,
  thresholds: Thresholds,
  where: string,
  use: ClipUse = 'clip',
  granularity?: Granularity,
): LayerThresholds {
  if (thresholds.network.checksum !== network.checksum) {
    throw new InputError(
      `${where} holds thresholds of ${thresholds.network.name} (checksum ${short(thresholds.network.checksum)}), ` +
        `not of ${network.name} (checksum ${short(network.checksum)})`,
    );
  }
  const layers = layersFor(network, thresholds, where, use);
  const isProfile = use !== 'clip-tuned';
  const declared = isProfile ? thresholds.granularity?.[network.format] : undefined;
  for (const [name, { length }] of Object.entries(layers)) {
    checkCount(network, name, length, declared, where);
  }
  if (granularity === undefined || !isProfile) return new Map(Object.entries(layers));
  return withGranularity(network, layers, declared, granularity, where);
}

/** Whether profile maxima of a file are as fine as a granularity for a network, so that `thresholdsFor` gives it. */
export function areAsFine(
  network: Network,
  thresholds: Thresholds,
  granularity: Granularity,
): boolean {
  const declared = thresholds.granularity?.[network.format];
  const layers = Object.entries(thresholds[network.format] ?? {});
  return layers.every(([name, { length }]) =>
    isAsFine(granularityOf(network, name, length, declared), granularity),
  );
}

/** What shares a threshold in the profile maxima of a file for a network: the coarsest of its layers; undefined: none. */
export function profiledGranularity(
  network: Network,
  thresholds: Thresholds,
): Granularity | undefined {
  const declared = thresholds.granularity?.[network.format];
  const found = Object.entries(thresholds[network.format] ?? {}).map(([name, { length }]) =>
    granularityOf(network, name, length, declared),
  );
  return GRANULARITIES.find((one) => found.includes(one));
}

function withGranularity(
  network: Network,
  layers: Readonly<Record<string, readonly number[]>>,
  declared: Granularity | undefined,
  wanted: Granularity,
  where: string,
): LayerThresholds {
  return new Map(
    Object.entries(layers).map(([name, values]) => {
      const has = granularityOf(network, name, values.length, declared);
      if (!isAsFine(has, wanted)) {
        throw new InputError(
          `${where}: layer "${name}" has thresholds for each ${has}, too few for each ${wanted}: record them with "bitcell profile --granularity ${wanted} --output FILE" and give --thresholds FILE`,
        );
      }
      return [name, coarsenMaxima(network, name, values, has, wanted)];
    }),
  );
}

/** The finest granularity that so many thresholds of a layer can have, unless a coarser one is declared. */
function granularityOf(
  network: Network,
  layer: string,
  count: number,
  declared: Granularity | undefined,
): Granularity {
  if (declared === 'layer') return declared;
  const fineToCoarse = GRANULARITIES.toReversed();
  return fineToCoarse.find((one) => thresholdCount(network, layer, one) === count) ?? 'layer';
}

/** @throws InputError unless the network has the layer, and the layer can have so many thresholds */
function checkCount(
  network: Network,
  name: string,
  count: number,
  declared: Granularity | undefined,
  where: string,
): void {
  arrayLayerNamed(network, name, where);
  const allowed = declared ? [declared] : GRANULARITIES;
  const counts = new Set(allowed.map((one) => thresholdCount(network, name, one)));
  if (counts.has(count)) return;
  throw new InputError(
    `${where}: layer "${name}" has ${count} thresholds, expected ${[...counts].join(' or ')}`,
  );
}

function layersFor(
  { format, name }: Network,
  thresholds: Thresholds,
  where: string,
  use: ClipUse,
): Readonly<Record<string, readonly number[]>> {
  if (use === 'clip-tuned') {
    const tuned = thresholds.tuned?.[format];
    if (tuned) return tuned.layers;
    throw new InputError(
      `${where} holds no tuned thresholds of ${name} for ${format} words: find them with "bitcell tune --format ${format} --output FILE" and give --thresholds FILE`,
    );
  }
  const layers = thresholds[format];
  if (!layers) throw new InputError(`${where} holds no thresholds for ${format} words`);
  return layers;
}

function short(checksum: string): string {
  return checksum.slice(0, 12);
}
