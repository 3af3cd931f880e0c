import {
  type Candidate,
  type ConditionDecision,
  type FrontMember,
  POINT_COLUMNS,
} from '../../../campaign/index.js';
import type { CsvValue } from '../../print/csv.js';

/** What a row is made of. */
interface Row {
  readonly decision: ConditionDecision;
  readonly candidate: Candidate;
  readonly member: FrontMember;
}

/** The columns beside those that say which condition a row is of. */
const COLUMNS: readonly (readonly [name: string, of: (row: Row) => CsvValue])[] = [
  ['mitigation', ({ candidate }) => candidate.mitigation],
  ['price', ({ candidate }) => candidate.price],
  ['price_unit', ({ decision }) => decision.priceUnit],
  ['price_not_given', ({ candidate }) => candidate.notGiven.join('; ') || null],
  ['within', ({ decision }) => decision.within],
  ['yield', ({ decision }) => decision.yield],
  ['verdict', ({ candidate }) => candidate.verdict],
  ['is_named', ({ decision, candidate }) => candidate.mitigation === decision.mitigation],
  ['maps', ({ candidate }) => candidate.maps],
  ['images', ({ candidate }) => candidate.images],
  ['yield_share', ({ candidate }) => candidate.yield.share],
  ['yield_low', ({ candidate }) => candidate.yield.low],
  ['yield_high', ({ candidate }) => candidate.yield.high],
  ['drop_mean', ({ candidate }) => candidate.drop.mean],
  ['drop_low', ({ candidate }) => candidate.drop.low],
  ['drop_high', ({ candidate }) => candidate.drop.high],
  ['on_front', ({ member }) => member.isOnFront],
  ['told_apart', ({ member }) => member.toldApart],
];

const CONDITION_COLUMNS = POINT_COLUMNS.filter(({ field }) => field !== 'mitigation');

/** The candidates of decisions, one after the other, as rows of a table. */
export function candidateRows(decisions: readonly ConditionDecision[]): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly CsvValue[])[];
} {
  return {
    columns: [...CONDITION_COLUMNS.map(({ name }) => name), ...COLUMNS.map(([name]) => name)],
    rows: decisions.flatMap((decision) =>
      decision.candidates.map((candidate, at) => [
        ...conditionCells(decision),
        ...COLUMNS.map(([, of]) => of({ decision, candidate, member: decision.front[at] })),
      ]),
    ),
  };
}

function conditionCells({ mitigation: _, ...condition }: ConditionDecision): CsvValue[] {
  return CONDITION_COLUMNS.map(({ field }) =>
    field === 'mitigation' ? null : (condition[field] ?? null),
  );
}
