import { type Network, WORD_BITS, weightedLayers } from '../../../../models/index.js';
import type { WeightHit } from '../../../../sim/index.js';
import { formatTable, grouped } from '../../../print/table.js';

interface HitCount {
  hits: number;
  /** Hits that change the weight's bit. */
  effective: number;
}

/** Totals of hits, counted as they pass. */
export interface HitTotals {
  readonly all: HitCount;
  /** Faulty cells that change at least one weight. */
  readonly effectiveFaults: number;
  /** Every weighted layer, in network order. */
  readonly layers: readonly (HitCount & { readonly name: string })[];
  /** Every bit of a weight word, least significant first. */
  readonly bits: readonly (HitCount & { readonly bit: number })[];
}

export interface HitCounter {
  /** Count a hit in a layer; the hits of one cell come one after the other. */
  add(hit: WeightHit, layer: string): void;
  totals(): HitTotals;
}

export function createHitCounter(network: Network): HitCounter {
  const all = { hits: 0, effective: 0 };
  const layers = new Map(
    weightedLayers(network).map(({ name }) => [name, { name, hits: 0, effective: 0 }]),
  );
  const bits = Array.from({ length: WORD_BITS[network.format] }, (_, bit) => ({
    bit,
    hits: 0,
    effective: 0,
  }));
  let effectiveFaults = 0;
  let lastEffective: WeightHit | undefined;
  return {
    add(hit, layer) {
      const ofLayer = layers.get(layer);
      if (ofLayer === undefined) throw new Error(`a weight of no layer: ${layer}`);
      for (const count of [all, ofLayer, bits[hit.bit]]) {
        count.hits += 1;
        if (hit.effective) count.effective += 1;
      }
      if (!hit.effective) return;
      if (lastEffective === undefined || !sameCell(hit, lastEffective)) effectiveFaults += 1;
      lastEffective = hit;
    },
    totals: () => ({ all, effectiveFaults, layers: [...layers.values()], bits }),
  };
}

function sameCell(one: WeightHit, other: WeightHit): boolean {
  return one.column === other.column && one.row === other.row && one.bank === other.bank;
}

/** The totals as two tables. */
export function formatTotals({ layers, bits }: HitTotals): string {
  const counts = ({ hits, effective }: HitCount) => [grouped(hits), grouped(effective)];
  return [
    formatTable(
      ['layer', 'hits', 'effective'],
      layers.map((layer) => [layer.name, ...counts(layer)]),
    ),
    formatTable(
      ['bit', 'hits', 'effective'],
      bits.map((bit) => [String(bit.bit), ...counts(bit)]),
    ),
  ].join('\n\n');
}
