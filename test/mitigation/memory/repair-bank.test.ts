import { createHash } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { uniformFaultMap } from '../../../fault/index.js';
import { type BankFaults, mustRepair, repairBank } from '../../../mitigation/index.js';
import { caseText } from './support.js';

interface SparesCase {
  readonly name: string;
  readonly spareRows: number;
  readonly spareColumns: number;
  readonly faults: readonly (readonly [row: number, column: number])[];
  readonly repairable: boolean;
  readonly fewestLines: number | null;
  readonly fewestUncovered: number;
  readonly mustRepair: {
    readonly rows: readonly number[];
    readonly columns: readonly number[];
    readonly left: number;
  } | null;
}

type Cells = SparesCase['faults'];

function bankOf(faults: Cells, spareRows: number, spareColumns: number): BankFaults {
  return {
    faultRows: Uint32Array.from(faults, ([row]) => row),
    faultColumns: Uint32Array.from(faults, ([, column]) => column),
    spareRows,
    spareColumns,
  };
}

/** A repair is what it says: spare lines enough, rising, and as many faulty cells left as it counts. */
function expectConsistent(bank: BankFaults, spareRows: number, spareColumns: number) {
  const repair = repairBank(bank);
  for (const [chosen, spares] of [
    [repair.rows, spareRows],
    [repair.columns, spareColumns],
  ] as const) {
    expect(chosen.length).toBeLessThanOrEqual(spares);
    expect([...chosen]).toEqual([...new Set(chosen)].sort((a, b) => a - b));
  }
  const left = [...bank.faultRows].filter(
    (row, fault) =>
      !repair.rows.includes(row) && !repair.columns.includes(bank.faultColumns[fault]),
  );
  expect(repair.uncovered).toBe(left.length);
  return { ...repair, lines: repair.rows.length + repair.columns.length };
}

describe('known answers', () => {
  const cases = JSON.parse(caseText('spares.json')) as SparesCase[];
  test('are there', () => expect(cases.length).toBe(38));

  test.each(cases)('$name: $faults.length faults, $spareRows + $spareColumns', (known) => {
    const bank = bankOf(known.faults, known.spareRows, known.spareColumns);
    const repair = expectConsistent(bank, known.spareRows, known.spareColumns);
    expect(repair.provedOptimal).toBe(true);
    expect(repair.uncovered).toBe(known.fewestUncovered);
    expect(repair.uncovered === 0).toBe(known.repairable);
    if (known.fewestLines !== null) expect(repair.lines).toBe(known.fewestLines);
    const must = mustRepair(bank);
    const plain = must && { ...must, rows: [...must.rows], columns: [...must.columns] };
    expect(plain ?? null).toEqual(known.mustRepair);
  });
});

/** All sets of at most `most` of the numbers below `size`, as masks. */
function subsets(size: number, most: number): number[] {
  const masks = Array.from({ length: 1 << size }, (_, mask) => mask);
  return masks.filter((mask) => ones(mask) <= most);
}

function ones(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Every set of rows; of the columns then those with most faults left, one after another. */
function bruteForce(faults: Cells, spareRows: number, spareColumns: number) {
  let uncovered = faults.length;
  let fewestLines = Infinity;
  for (const rows of subsets(8, spareRows)) {
    const inColumn = new Uint32Array(8);
    for (const [row, column] of faults) if (((rows >> row) & 1) === 0) inColumn[column] += 1;
    inColumn.sort().reverse();
    const left = inColumn.slice(spareColumns).reduce((sum, count) => sum + count, 0);
    uncovered = Math.min(uncovered, left);
    if (left === 0) {
      fewestLines = Math.min(
        fewestLines,
        ones(rows) + inColumn.filter((count) => count > 0).length,
      );
    }
  }
  return { uncovered, fewestLines };
}

const cells = fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), {
  selector: ([row, column]) => 8 * row + column,
  maxLength: 40,
  size: 'max',
});
const spareCounts = fc.nat(5);

property.prop([cells, spareCounts, spareCounts], { numRuns: 300 })(
  'on banks up to 8 × 8 a repair leaves as few faulty cells, and takes as few lines, as any',
  (faults, spareRows, spareColumns) => {
    const repair = expectConsistent(
      bankOf(faults, spareRows, spareColumns),
      spareRows,
      spareColumns,
    );
    const best = bruteForce(faults, spareRows, spareColumns);
    expect(repair.provedOptimal).toBe(true);
    expect(repair.uncovered).toBe(best.uncovered);
    if (best.uncovered === 0) expect(repair.lines).toBe(best.fewestLines);
  },
);

property.prop([cells, spareCounts, spareCounts])(
  'every repair of a bank replaces the lines of must-repair',
  (faults, spareRows, spareColumns) => {
    const bank = bankOf(faults, spareRows, spareColumns);
    const must = mustRepair(bank);
    const repair = repairBank(bank);
    if (repair.uncovered > 0) return;
    expect(must).toBeDefined();
    expect([...repair.rows]).toEqual(expect.arrayContaining([...must!.rows]));
    expect([...repair.columns]).toEqual(expect.arrayContaining([...must!.columns]));
  },
);

property.prop([
  cells,
  spareCounts,
  spareCounts,
  fc.uniqueArray(fc.nat(4)),
  fc.uniqueArray(fc.nat(4)),
])(
  'faulty spare lines are as good as none',
  (faults, spareRows, spareColumns, faultyRows, faultyColumns) => {
    const faultySpareRows = faultyRows.filter((row) => row < spareRows);
    const faultySpareColumns = faultyColumns.filter((column) => column < spareColumns);
    const bank = bankOf(faults, spareRows, spareColumns);
    expect(
      repairBank({
        ...bank,
        faultySpareRows: Uint32Array.from([...faultySpareRows, ...faultySpareRows]),
        faultySpareColumns,
      }),
    ).toEqual(
      repairBank({
        ...bank,
        spareRows: spareRows - faultySpareRows.length,
        spareColumns: spareColumns - faultySpareColumns.length,
      }),
    );
  },
);

/** Faults that 8 rows and 8 columns of 1024 × 256 cover. */
const planted = fc
  .tuple(
    fc.uniqueArray(fc.nat(1023), { minLength: 8, maxLength: 8 }),
    fc.uniqueArray(fc.nat(255), { minLength: 8, maxLength: 8 }),
    fc.array(fc.tuple(fc.boolean(), fc.nat(7), fc.nat(1023)), { maxLength: 150, size: 'max' }),
  )
  .map(([rows, columns, places]) => {
    const cells = places.map(([inRow, line, place]) =>
      inRow ? rows[line] * 256 + (place % 256) : place * 256 + columns[line],
    );
    return [...new Set(cells)].map((cell) => [cell >> 8, cell & 255] as const);
  });

property.prop([planted], { numRuns: 100 })(
  'covers planted in 1024 × 256 cells with 8 + 8 spare lines are found',
  (faults) => {
    expect(expectConsistent(bankOf(faults, 8, 8), 8, 8).uncovered).toBe(0);
  },
);

test.each([
  { rate: 1e-4, banks: 200, choices: 'edaa7dfc1712' },
  { rate: 1e-3, banks: 60, choices: '1a9230680cd8' },
  { rate: 1e-2, banks: 200, choices: 'ac5746b8f906' },
])('of equal choices the same one stays chosen: $banks banks at $rate', (known) => {
  const { rate, banks, choices } = known;
  const geometry = { banks: 1, rows: 1024, columns: 256 };
  const hash = createHash('sha1');
  for (let trial = 0; trial < banks; trial++) {
    const { cells } = uniformFaultMap({ geometry, rate, faults: 'flip', seed: 1, trial });
    const faults = Array.from(cells, (cell) => [Math.floor(cell / 256), cell % 256] as const);
    const { rows, columns, uncovered, provedOptimal } = repairBank(bankOf(faults, 8, 8));
    hash.update(JSON.stringify([[...rows], [...columns], uncovered, provedOptimal]));
  }
  expect(hash.digest('hex').slice(0, 12)).toBe(choices);
});
