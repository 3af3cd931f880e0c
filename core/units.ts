import { InputError } from './errors.js';
import { excerpt } from './excerpt.js';

/** A unit is worth `base` to the power of `exponent` of the plain one. */
interface Unit {
  readonly name: string;
  readonly base: 2 | 10;
  readonly exponent: number;
}

interface Quantity {
  readonly name: string;
  readonly example: string;
  readonly whole: boolean;
  /** From the smallest to the largest. */
  readonly units: readonly Unit[];
}

function decimal(name: string, exponent: number): Unit {
  return { name, base: 10, exponent };
}

function binary(name: string, exponent: number): Unit {
  return { name, base: 2, exponent };
}

const BYTE_UNITS = [
  decimal('B', 0),
  decimal('kB', 3),
  binary('KiB', 10),
  decimal('MB', 6),
  binary('MiB', 20),
  decimal('GB', 9),
  binary('GiB', 30),
  decimal('TB', 12),
  binary('TiB', 40),
];

const SIZE: Quantity = { name: 'size', example: '256KiB', whole: true, units: BYTE_UNITS };

const FREQUENCY: Quantity = {
  name: 'frequency',
  example: '1GHz',
  whole: false,
  units: [decimal('Hz', 0), decimal('kHz', 3), decimal('MHz', 6), decimal('GHz', 9)],
};

const BANDWIDTH: Quantity = {
  name: 'bandwidth',
  example: '10GB/s',
  whole: false,
  units: BYTE_UNITS.map((unit) => ({ ...unit, name: `${unit.name}/s` })),
};

const ENERGY: Quantity = {
  name: 'energy',
  example: '1.5pJ',
  whole: false,
  units: [
    decimal('fJ', -15),
    decimal('pJ', -12),
    decimal('nJ', -9),
    decimal('uJ', -6),
    decimal('mJ', -3),
    decimal('J', 0),
  ],
};

const POWER: Quantity = {
  name: 'power',
  example: '5mW',
  whole: false,
  units: [decimal('nW', -9), decimal('uW', -6), decimal('mW', -3), decimal('W', 0)],
};

const AREA: Quantity = {
  name: 'area',
  example: '0.25mm2',
  whole: false,
  units: [decimal('um2', -12), decimal('mm2', -6), decimal('cm2', -4)],
};

const DELAY: Quantity = {
  name: 'delay',
  example: '20ps',
  whole: false,
  units: [decimal('fs', -15), decimal('ps', -12), decimal('ns', -9), decimal('us', -6)],
};

const VOLTAGE: Quantity = {
  name: 'voltage',
  example: '0.85V',
  whole: false,
  units: [decimal('mV', -3), decimal('V', 0)],
};

const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?)(?:e([+-]?\d+))?\s*([a-z/]+2?)$/i;

/** The value of a text in the plain unit; undefined without a number and a known unit. */
function evaluate(text: string, quantity: Quantity): number | undefined {
  const [, digits, exponent = '0', name] = NUMBER_AND_UNIT.exec(text.trim()) ?? [];
  const unit = quantity.units.find((candidate) => candidate.name === name);
  if (unit === undefined) return undefined;
  // Powers of ten are added in the text, so that "1.001kHz" is the float64 nearest to 1001.
  return unit.base === 10
    ? Number(`${digits}e${Number(exponent) + unit.exponent}`)
    : Number(`${digits}e${exponent}`) * 2 ** unit.exponent;
}

function parseQuantity(text: string, quantity: Quantity): number {
  const value = evaluate(text, quantity);
  const article = /^[aeiou]/.test(quantity.name) ? 'an' : 'a';
  const refusal = `"${excerpt(text)}" is not ${article} ${quantity.name}`;
  if (value === undefined) {
    const names = quantity.units.map((unit) => unit.name).join(', ');
    throw new InputError(
      `${refusal}: write a number and a unit (${names}), for example ${quantity.example}.`,
    );
  }
  if (value <= 0 || !Number.isFinite(value)) {
    throw new InputError(`${refusal}: it must be above zero and finite.`);
  }
  if (quantity.whole && !Number.isSafeInteger(value)) {
    throw new InputError(`${refusal}: it must be a whole number of bytes below 2^53.`);
  }
  return value;
}

/** The shortest text that reads back as exactly `value`; of equally short ones the largest unit. */
function formatQuantity(value: number, quantity: Quantity): string {
  let shortest = `${value}${quantity.units[0].name}`;
  for (const unit of quantity.units) {
    const text = `${value / unit.base ** unit.exponent}${unit.name}`;
    if (text.length <= shortest.length && evaluate(text, quantity) === value) shortest = text;
  }
  return shortest;
}

/**
 * Bytes of a size such as `256KiB` or `108kB`: decimal units are powers of 1000, binary ones of 1024.
 *
 * @throws InputError unless it is a whole number of bytes from 1 to 2⁵³ − 1.
 */
export function parseBytes(text: string): number {
  return parseQuantity(text, SIZE);
}

/** A size as `parseBytes` reads it back, exactly. */
export function formatBytes(bytes: number): string {
  return formatQuantity(bytes, SIZE);
}

/**
 * Hertz of a frequency such as `1GHz`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parseFrequency(text: string): number {
  return parseQuantity(text, FREQUENCY);
}

/** A frequency in hertz as `parseFrequency` reads it back, exactly. */
export function formatFrequency(hertz: number): string {
  return formatQuantity(hertz, FREQUENCY);
}

/**
 * Bytes per second of a bandwidth such as `10GB/s`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parseBandwidth(text: string): number {
  return parseQuantity(text, BANDWIDTH);
}

/** A bandwidth in bytes per second as `parseBandwidth` reads it back, exactly. */
export function formatBandwidth(bytesPerSecond: number): string {
  return formatQuantity(bytesPerSecond, BANDWIDTH);
}

/**
 * Joules of an energy such as `1.5pJ`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parseEnergy(text: string): number {
  return parseQuantity(text, ENERGY);
}

/**
 * Watts of a power such as `5mW`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parsePower(text: string): number {
  return parseQuantity(text, POWER);
}

/**
 * Square metres of an area such as `0.25mm2`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parseArea(text: string): number {
  return parseQuantity(text, AREA);
}

/**
 * Seconds of a delay such as `20ps`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parseDelay(text: string): number {
  return parseQuantity(text, DELAY);
}

/**
 * Volts of a voltage such as `0.85V`.
 *
 * @throws InputError unless it is above zero and finite.
 */
export function parseVoltage(text: string): number {
  return parseQuantity(text, VOLTAGE);
}
