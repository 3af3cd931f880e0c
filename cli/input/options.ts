import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { InputError, parseDecimal } from '../../core/index.js';
import {
  CLIP_POSITIONS,
  loadPriceFigures,
  type Mitigation,
  type PriceFigures,
  parseMitigation,
} from '../../mitigation/index.js';
import type { ImageSet } from '../../models/index.js';
import { DEFAULT_ACCELERATOR } from '../../sim/index.js';
import type { InputFile } from '../../workload/index.js';

/** An option that the environment variable BITCELL_NAME can set, too. */
export function option(flags: string, description: string): Option {
  const created = new Option(flags, description);
  return created.env(`BITCELL_${created.name().replaceAll('-', '_').toUpperCase()}`);
}

/** An option with a closed set of values. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return option(flags, description).choices(values);
}

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addCommonOptions(command: Command): Command {
  return command
    .addOption(option('--json', 'print one JSON object instead of text'))
    .addOption(option('--quiet', 'show no progress'));
}

/** Parse a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    }
    return value;
  };
}

/** Parse a number of images a map, or the word for choosing it. */
export function imagesOrPilot(text: string): number | 'pilot' {
  return text === 'pilot' ? text : wholeNumber(1)(text);
}

/** Parse a list of values separated by commas. */
export function list(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}

/** Take the value of an option that names the one input; a second one must not replace it in silence. */
export function once(text: string, before?: string): string {
  if (before === undefined) return text;
  throw new InvalidArgumentError(`"${before}" was given already; give one.`);
}

/** Collect the values of an option that may be repeated. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Parse a list of fault rates, each between 0 and 1. */
export function rateList(text: string): number[] {
  return list(text).map(rate);
}

/** Parse a fault rate. */
export function rate(text: string): number {
  return decimalWhere(
    text,
    (value) => value >= 0 && value <= 1,
    `"${text}" is not a fault rate between 0 and 1.`,
  );
}

/** Parse a voltage in volts, with or without its unit. */
export function voltage(text: string): number {
  return decimalWhere(
    text.replace(/V$/, ''),
    (value) => value > 0,
    `"${text}" is not a voltage in volts.`,
  );
}

/** Parse a list of voltages in volts. */
export function voltageList(text: string): number[] {
  return list(text).map(voltage);
}

/**
 * Parse a number in decimal digits.
 *
 * @param problem the message where it is none, or not a permitted one
 */
export function decimalWhere(
  text: string,
  isPermitted: (value: number) => boolean,
  problem: string,
): number {
  const value = parseDecimal(text);
  if (value === undefined || !isPermitted(value)) throw new InvalidArgumentError(problem);
  return value;
}

/** Parse a list of whole numbers from 0. */
export function countList(text: string): number[] {
  return list(text).map(wholeNumber(0));
}

/** Parse a number of percentage points. */
export function percentagePoints(text: string): number {
  return decimalWhere(
    text,
    (value) => value > 0 && value <= 50,
    `"${text}" is not a number of percentage points up to 50.`,
  );
}

/**
 * What a good map may lose.
 *
 * @param preset what holds without it
 */
export function withinOption(preset: string): Option {
  return option(
    '--within <points>',
    `percentage points that a good map may lose against the fault-free, unprotected network (${preset})`,
  ).argParser((text: string) =>
    decimalWhere(
      text,
      (value) => value > 0 && value <= 100,
      `"${text}" is not a number of percentage points above 0, up to 100.`,
    ),
  );
}

/** A share of the maps. */
export function yieldOption(description: string): Option {
  return option('--yield <share>', description).argParser((text: string) =>
    decimalWhere(
      text,
      (value) => value > 0 && value <= 1,
      `"${text}" is not a share of the maps above 0, up to 1.`,
    ),
  );
}

/** Figures for prices. */
export function pricesOption(): Option {
  return option('--prices <file>', 'figures that no source gives, each with its unit and source');
}

/** The figures of the file that `--prices` names. */
export function priceFigures(file: string | undefined): PriceFigures | undefined {
  return file === undefined ? undefined : loadPriceFigures(file);
}

/** Each thread takes memory for a network of its own, so more than processors, and more than a few, do harm only. */
const MOST_THREADS = Math.max(64, availableParallelism());

function threadCount(text: string): number {
  const threads = wholeNumber(1)(text);
  if (threads <= MOST_THREADS) return threads;
  throw new InvalidArgumentError(`Expected at most ${MOST_THREADS} threads.`);
}

export function threadsOption(): Option {
  return option('--threads <n>', 'worker threads')
    .default(availableParallelism())
    .argParser(threadCount);
}

/** A mitigation in words. */
export function mitigationOption(description: string): Option {
  return option('--mitigation <words>', description).argParser(mitigationWords);
}

function mitigationWords(text: string): Mitigation {
  try {
    return parseMitigation(text);
  } catch (error) {
    if (error instanceof InputError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** Where clips stand. */
export function clipPositionOption(): Option {
  return choice(
    '--clip-position <position>',
    'clip the accumulator, or (int8 words) what is requantised',
    CLIP_POSITIONS,
  ).default('accumulator');
}

/** The accelerator that a command is about. */
export function acceleratorOption(preset: string = DEFAULT_ACCELERATOR): Option {
  return option(
    '--accelerator <accelerator>',
    'a preset, a .yaml or .json file, or a SCALE-Sim .cfg with its weight memory (FILE.cfg@BANKSxROWSxWORDBITSxCOLUMNMUX)',
  ).default(preset);
}

export function seedOption(): Option {
  return option('--seed <n>', 'seed of everything random').default(1).argParser(wholeNumber(0));
}

export function dataOption(): Option {
  return option('--data <folder>', 'folder cifar-10-batches-bin (default: the installed data)');
}

/** Samples of a network: `FILE`, or `NAME=FILE` once for each of several inputs. */
export function inputOption(
  description = 'samples as .npy, each shaped as the network takes them',
): Option {
  return filesOption('--input <file>', description);
}

/** Files of samples, one for each input of a network. */
export function filesOption(flags: string, description: string): Option {
  return option(flags, `${description}; of several inputs NAME=FILE, once for each`).argParser(
    (text: string, before: readonly InputFile[] | undefined) => [
      ...(before ?? []),
      inputFileOf(text),
    ],
  );
}

/** Sizes of inputs for which the file has symbols, `NAME=1,3,H,W`. */
export function inputShapeOption(): Option {
  return option(
    '--input-shape <shape>',
    'sizes that the file leaves open, for one sample: NAME=1,3,HEIGHT,WIDTH, once for each input (default: those of the samples)',
  ).argParser((text: string, before: ReadonlyMap<string, readonly number[]> | undefined) => {
    const { name, sizes } = /^(?<name>.+)=(?<sizes>\d+(?:,\d+)*)$/.exec(text)?.groups ?? {};
    if (sizes === undefined) {
      throw new InvalidArgumentError('Expected NAME=1,SIZE,…, such as input=1,3,224,224.');
    }
    return new Map([...(before ?? []), [name, sizes.split(',').map(Number)]]);
  });
}

/** A file's own name may hold a `=`, where the file is there. */
function inputFileOf(text: string): InputFile {
  const split = text.indexOf('=');
  if (split <= 0 || existsSync(text)) return { file: text };
  return { name: text.slice(0, split), file: text.slice(split + 1) };
}

/** @throws InputError when an option asks for more images than were loaded of a split of CIFAR-10 */
export function requireImages(
  flag: string,
  wanted: number,
  { count }: ImageSet,
  split: 'training' | 'test',
): void {
  if (wanted > count) {
    throw new InputError(`${flag} ${wanted}: CIFAR-10 has ${count} ${split} images`);
  }
}
