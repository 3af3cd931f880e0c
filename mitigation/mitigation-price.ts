import type { WordFormat } from '../models/index.js';
import {
  type Accelerator,
  inferenceCost,
  type NetworkActivity,
  networkEnergy,
  type SramBytes,
  sramBytesOf,
  wordCount,
} from '../sim/index.js';
import { CLIP_USES } from './activations/clip.js';
import { type CellCount, countAddedCells } from './memory/added-cells.js';
import type { MemoryPart } from './memory/mechanisms.js';
import { mechanismOf } from './memory/mechanisms.js';
import { placeOf } from './memory/place.js';
import type { PlacedWeights } from './memory/stages.js';
import { wholeWords } from './memory/whole-words.js';
import type { ActivationPart, MitigationPart } from './mitigation.js';
import { clipPrice } from './price/clip-price.js';
import type { PriceFigure, PriceFigures } from './price/figures.js';
import { allGiven, ifGiven, isMissing, type OrMissing } from './price/missing.js';
import {
  type PartPrice,
  PRICE_COMPONENTS,
  type Price,
  type PriceComponent,
  type XorGates,
} from './price/price.js';

/** What prices depend on: a network in the weight memory of an accelerator, and figures that a user knows. */
export interface PricedPlace extends PlacedWeights {
  readonly accelerator: Accelerator;
  readonly figures?: PriceFigures | undefined;
}

/**
 * The price of parts together: what they take adds up, but cells that they share are there once.
 *
 * @throws InputError where a part does not fit the network or its memory
 */
export type Pricing = (parts: readonly MitigationPart[]) => Price;

/** Prices on one accelerator. What there is no figure for is null in them, and named. */
export function createPricing(priced: PricedPlace): Pricing {
  const { placement, figures = {} } = priced;
  const { memory } = placement;
  const dataCells = wordCount(memory) * memory.wordBits;
  const readEnergy = readEnergyOn(priced);
  return (parts) => {
    const placed = wholeWords(parts.filter(isInMemory), priced);
    const prices = parts.map((part) => partPrice(part, placed, figures));
    const places = parts.map((part) => (isClip(part) ? undefined : placeOf(part, placed)));
    const of = <Key extends keyof PartPrice>(key: Key) => allGiven(prices.map((one) => one[key]));
    const counted = ifGiven(of('cells'), (cells) =>
      countAddedCells(
        cells.flatMap((added, part) =>
          added.map((one) => ({ cells: one, isPlaced: places[part] })),
        ),
        placed,
      ),
    );
    const cells = ifGiven(counted, ({ count }) => count);
    const xorGates = ifGiven(of('xorGates'), addGates);
    const levels = ifGiven(of('levels'), sum);
    return toPrice(dataCells, {
      cells,
      xorGates,
      'readLatency.levels': levels,
      'readLatency.seconds': ifGiven(levels, (gates) => times(gates, figures, 'xorGateDelay')),
      cycles: ifGiven(of('cycles'), sum),
      energy: ifGiven(allGiven([of('energy'), counted]), ([, added]) => readEnergy(added)),
      area: ifGiven(allGiven([cells, xorGates]), ([count, gates]) => areaOf(count, gates, figures)),
    });
  };
}

function partPrice(part: MitigationPart, place: PlacedWeights, figures: PriceFigures): PartPrice {
  return isClip(part)
    ? clipPrice(part, place.network)
    : mechanismOf(part).price(part, place, figures);
}

function isClip(part: MitigationPart): part is ActivationPart {
  return CLIP_USES.some((use) => use === part.use);
}

function isInMemory(part: MitigationPart): part is MemoryPart {
  return !isClip(part);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function addGates(all: readonly XorGates[]): XorGates {
  return {
    encoder: sum(all.map(({ encoder }) => encoder)),
    syndrome: sum(all.map(({ syndrome }) => syndrome)),
    corrector: sum(all.map(({ corrector }) => corrector)),
  };
}

const FIGURE_NAMES = {
  cellArea: 'the area of a memory cell',
  xorGateArea: 'the area of an XOR gate',
  xorGateDelay: 'the delay of an XOR gate',
} as const;

/** So many times a figure; nothing takes nothing, figure or not. */
function times(
  count: number,
  figures: PriceFigures,
  name: keyof typeof FIGURE_NAMES,
): OrMissing<number> {
  const figure: PriceFigure | undefined = figures[name];
  if (count === 0) return 0;
  if (figure) return count * figure.value;
  return {
    notGiven: [`no opened source gives ${FIGURE_NAMES[name]}: a prices file can, as ${name}`],
  };
}

function areaOf(cells: number, gates: XorGates, figures: PriceFigures): OrMissing<number> {
  const ofCells = times(cells, figures, 'cellArea');
  const ofGates = times(sum(Object.values(gates)), figures, 'xorGateArea');
  return ifGiven(allGiven([ofCells, ofGates]), sum);
}

/** Joules of reading added cells with the weights of one image. */
function readEnergyOn({ network, placement, accelerator, figures }: PricedPlace) {
  const { layers } = inferenceCost(network, accelerator).timing;
  const { name, buffers, energyTable } = accelerator;
  return ({ readBits }: CellCount): OrMissing<number> => {
    const bits = sum(readBits.map((each, index) => each * layers[index].sram.weightReads));
    if (bits === 0) return 0;
    if (figures?.readEnergy) return bits * figures.readEnergy.value;
    const remedy = 'a prices file can, as readEnergy';
    if (!energyTable) return { notGiven: [`${name} has no energy table: ${remedy}`] };
    const { components, notGiven } = networkEnergy(
      readingOf(bits, network.format, sramBytesOf(buffers, placement.memory)),
      energyTable,
    );
    const reason = notGiven.find(({ component }) => component === 'weightSram')?.reason;
    return components.weightSram ?? { notGiven: [`${reason}: ${remedy}`] };
  };
}

/** Nothing but so many bits that are read from the weight memory. */
function readingOf(readBits: number, format: WordFormat, sramBytes: SramBytes): NetworkActivity {
  const none = { readBits: 0, writtenBits: 0 };
  const reading = {
    ...{ name: '', cycles: 0, multiplyAccumulates: 0, registerReads: 0, registerWrites: 0 },
    sram: { input: none, weights: { readBits, writtenBits: 0 }, output: none },
    memory: none,
  };
  return { format, layers: [reading], sramBytes, processingElements: 0 };
}

/** A price in which what is missing is null and named. */
function toPrice(
  dataCells: number,
  given: {
    readonly [Component in PriceComponent]: OrMissing<
      Component extends 'xorGates' ? XorGates : number
    >;
  },
): Price {
  const count = orNull(given.cells);
  return {
    cells: { count, share: count === null ? null : count / dataCells },
    xorGates: orNull(given.xorGates),
    readLatency: {
      levels: orNull(given['readLatency.levels']),
      seconds: orNull(given['readLatency.seconds']),
    },
    cycles: orNull(given.cycles),
    energy: orNull(given.energy),
    area: orNull(given.area),
    notGiven: PRICE_COMPONENTS.flatMap((component) => {
      const value = given[component];
      return isMissing(value) ? value.notGiven.map((reason) => ({ component, reason })) : [];
    }),
  };
}

function orNull<T>(value: OrMissing<T>): T | null {
  return isMissing(value) ? null : value;
}
