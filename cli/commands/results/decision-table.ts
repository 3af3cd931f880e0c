import type { ConditionDecision } from '../../../campaign/index.js';
import { PRICE_TEXTS } from '../../print/price-table.js';
import { conditionTable } from '../../print/study/study-table.js';
import { formatTable, percent } from '../../print/table.js';

/** The mitigation with the least price in each condition, as a table. */
export function formatDecisions(decisions: readonly ConditionDecision[]): string {
  const [{ within, yield: share, priceUnit }] = decisions;
  const { title, text } = PRICE_TEXTS[priceUnit];
  const conditions = conditionTable(decisions);
  const rows = decisions.map((decision) => [
    ...conditions.cells(decision),
    decision.verdict,
    decision.mitigation ?? '-',
    decision.price === null ? '-' : text(decision.price),
  ]);
  return [
    `Cheapest of those with which at least ${percent(share)} % of the maps lose at most ${percent(within)} points (bitcell cheapest compares them):`,
    formatTable([...conditions.titles, 'verdict', 'cheapest', title], rows),
  ].join('\n');
}
