import { Command } from 'commander';
import { InputError } from '../../core/index.js';
import {
  createPricing,
  describeParts,
  type Mitigation,
  type PartDescription,
  type Pricing,
  parseMitigation,
} from '../../mitigation/index.js';
import { loadAccelerator, wordCount } from '../../sim/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  priceFigures,
  pricesOption,
} from '../input/options.js';
import { printResult } from '../print/output.js';
import { type PricedMitigation, priceTable } from '../print/price-table.js';
import { grouped } from '../print/table.js';
import { addMemoryOptions, type MemoryFlags, memoryOf } from './map/memory-options.js';

interface MitigationsFlags extends MemoryFlags, CommonOptions {
  readonly prices?: string;
}

/** What the gates of a price are. */
const GATES =
  'of one encoder and one decoder of a memory word, which all banks share, as trees that share nothing; what matches a syndrome with a bit is not in them';

export function mitigationsCommand(): Command {
  const command = new Command('mitigations')
    .description(
      'Every mitigation: what it does, its parameters, and what it takes on an accelerator',
    )
    .argument('[words...]', 'these alone, such as secded:dataBits=32+clip (default: every kind)')
    .addOption(pricesOption())
    .action(mitigations);
  return addCommonOptions(addMemoryOptions(command));
}

function mitigations(words: readonly string[], flags: MitigationsFlags): void {
  const { json, model, format, accelerator: name, prices } = flags;
  const wanted = words.map((text) => parseMitigation(text));
  const figures = priceFigures(prices);
  const { network, placement } = memoryOf(flags);
  const accelerator = loadAccelerator(name);
  const pricing = createPricing({ network, placement, accelerator, figures });
  const used = new Set(wanted.flatMap(({ parts }) => parts.map(({ use }) => use)));
  const mechanisms = describeParts().filter(({ use }) => words.length === 0 || used.has(use));
  const priced =
    words.length === 0
      ? mechanisms.map(({ use }) => priceWherePossible({ name: use, parts: [{ use }] }, pricing))
      : wanted.map((mitigation) => ({ ...mitigation, price: pricing(mitigation.parts) }));
  const { memory } = placement;
  const dataCells = wordCount(memory) * memory.wordBits;
  printResult(
    json,
    {
      ...{ model, format, accelerator: name, placement: placement.kind, memory, dataCells },
      ...{ figures: figures ?? null, gates: GATES, mechanisms, mitigations: priced },
    },
    () =>
      [
        `${model} with ${format} words, ${placement.kind} on ${name}: ${grouped(dataCells)} data cells, memory words of ${memory.wordBits} bits`,
        `${priceTable(priced)}\n\nXOR gates: ${GATES}.`,
        ...mechanisms.map(described),
      ].join('\n\n'),
  );
}

/** Of every kind of part some do not fit a network: those have no price, and say why. */
function priceWherePossible(mitigation: Mitigation, pricing: Pricing): PricedMitigation {
  try {
    return { ...mitigation, price: pricing(mitigation.parts) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...mitigation, price: null, refused: error.message };
  }
}

function described({ use, summary, knowsMap, parameters }: PartDescription): string {
  const lines = parameters.map(
    ({ name, values, description }) =>
      `  ${name}${values ? `=${values.join('|')}` : ''}: ${description}`,
  );
  const knows = knowsMap ? ' (knows the faulty cells)' : '';
  return [`${use}: ${summary}${knows}`, ...lines].join('\n');
}
