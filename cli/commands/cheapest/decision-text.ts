import type { Candidate, ConditionDecision, PriceUnit } from '../../../campaign/index.js';
import { PRICE_TEXTS } from '../../print/price-table.js';
import { conditionText, counted } from '../../print/study/study-table.js';
import { formatTable, grouped, percent } from '../../print/table.js';

/** The decision of a condition: what was asked, the candidates, which one is named and what is left open. */
export function formatDecision(decision: ConditionDecision): string {
  const { within, candidates, priceUnit } = decision;
  const { title } = PRICE_TEXTS[priceUnit];
  const rows = candidates.map((candidate) => [
    candidate.mitigation,
    priceText(candidate.price, priceUnit),
    candidate.verdict,
    `${percent(candidate.yield.share)} [${percent(candidate.yield.low)}, ${percent(candidate.yield.high)}]`,
    `${percent(candidate.drop.mean)} [${percent(candidate.drop.high)}]`,
    apartText(candidate),
  ]);
  const heads = ['mitigation', title, 'verdict', 'good maps [bounds]', 'mean loss [at most]'];
  return [
    `${conditionText(decision)}: at least ${percent(decision.yield)} % of the maps lose at most ${percent(within)} points`,
    formatTable([...heads, 'told from the named one'], rows),
    ...notes(decision),
    frontText(decision),
    verdictText(decision),
  ].join('\n');
}

function priceText(price: number | null, unit: PriceUnit): string {
  return price === null ? 'not given' : PRICE_TEXTS[unit].text(price);
}

function apartText({ comparison }: Candidate): string {
  if (!comparison) return '';
  const { toldApart, mean, moreMaps } = comparison;
  if (toldApart) return `${mean > 0 ? '+' : ''}${percent(mean)} points`;
  return `not told apart${moreMaps === null ? '' : `, about ${grouped(moreMaps)} more maps would`}`;
}

function notes({ within, candidates }: ConditionDecision): string[] {
  const short = candidates.filter((one) => one.images < one.yield.imagesNeeded);
  const needed = Math.max(...short.map((one) => one.yield.imagesNeeded));
  const reasons = new Set(candidates.flatMap(({ notGiven }) => notGiven));
  const lacking = (reason: string) =>
    candidates.filter(({ notGiven }) => notGiven.includes(reason)).map((one) => one.mitigation);
  return [
    `Bounds hold for all candidates together at 95 %: ${maps(candidates)}.`,
    ...[...reasons].map((reason) => `Not given: ${reason} (${lacking(reason).join(', ')}).`),
    ...(short.length > 0
      ? [
          `${counted(short[0].images, 'image')} a map are too few to tell a loss of ${percent(within)} points from chance: up to ${grouped(needed)} are needed (--images).`,
        ]
      : []),
  ];
}

function frontText({ front }: ConditionDecision): string {
  const names = front.flatMap(({ mitigation, isOnFront, toldApart }) =>
    isOnFront ? [toldApart ? mitigation : `${mitigation} (not told apart)`] : [],
  );
  return `Pareto front of price and mean loss: ${names.length > 0 ? names.join(', ') : 'no price is given'}.`;
}

function maps(candidates: readonly Candidate[]): string {
  const numbers = candidates.map((one) => one.maps);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? counted(least, 'map') : `${least} to ${most} maps`;
}

function verdictText(decision: ConditionDecision): string {
  const { verdict, mitigation, price, priceUnit, candidates } = decision;
  const named =
    mitigation === null
      ? undefined
      : `${mitigation} (${priceText(price, priceUnit)} ${PRICE_TEXTS[priceUnit].title})`;
  if (verdict === 'none') return 'None meets it.';
  if (verdict === 'met') return `Cheapest: ${named}.`;
  const open = candidates.filter(
    (one) =>
      one.verdict === 'undecided' &&
      (named === undefined || (one.price !== null && one.price < (price ?? 0))),
  );
  const more = open.map((one) =>
    one.moreMaps === null
      ? one.mitigation
      : `${one.mitigation} (about ${grouped(one.moreMaps)} more maps would decide)`,
  );
  const unpriced = candidates.filter((one) => one.verdict === 'met' && one.price === null);
  return [
    'Undecided:',
    [
      ...(named ? [`${named} meets it`] : []),
      ...unpriced.flatMap((one) =>
        named ? [] : [`${one.mitigation} meets it at a price that is not given`],
      ),
      ...(more.length > 0 ? [`${named ? 'for less so may ' : 'open '}${more.join(', ')}`] : []),
    ].join('; '),
  ]
    .join(' ')
    .concat('.');
}
