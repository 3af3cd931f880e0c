import type { SumGroup, SumPart, SumSteps, WordMasks } from '../../../kernels/index.js';
import type { SystolicArray } from '../../hardware/systolic-array.js';
import { type ArrayFaults, checkArrayFaults } from '../array-faults.js';
import { type Chain, type Chains, chainsOf } from './chains.js';
import { type ArrayWeights, type FilterWeights, filterReader } from './window-weights.js';

/**
 * The outputs of a layer whose sums faulty registers of an array disturb, and how: what a kernel of faulty sums computes
 * anew behind an ordinary one. Outputs that no fault can change are left out. So are those of a weight-stationary array
 * that differ by weights alone, the same at all output positions: the ordinary kernel takes them from `registerPatches`.
 *
 * Groups are made one by one. Where inputs stay, each column of a faulty array can see all weights of a layer changed in
 * another way: 128 columns and 2.4 M float32 weights are 1.2 GB together, 9 MB one after the other.
 *
 * @param layer with its weights as the weight memory gives them, without `registerPatches`
 * @throws InputError (on the first step) when the array does not have such registers
 */
export function* disturbedSums(
  layer: ArrayWeights,
  faults: ArrayFaults,
  array: SystolicArray,
): Generator<SumGroup, void, undefined> {
  checkArrayFaults(faults, array);
  const { output, groups } = layer.shape;
  const chains = chainsOf(layer, faults, array);
  const filterClasses = classesOf(output.channels / groups, chains.filterClass);
  const found = new Map<string, { readonly bundles: Bundle[]; readonly positions: number[] }>();
  for (const positions of classesOf(output.height * output.width, chains.positionClass)) {
    const bundles = bundlesAt(positions[0], chains, filterClasses);
    const key = bundles.map(keyOf).join(';');
    const alike = found.get(key) ?? { bundles, positions: [] };
    found.set(key, alike);
    for (const m of positions) alike.positions.push(m);
  }

  const partsOf = partMaker(layer);
  for (const { bundles, positions } of found.values()) {
    const parts = partsOf(bundles);
    if (parts.length > 0) yield { positions: Uint32Array.from(positions).sort(), parts };
  }
}

/** Filters of a group that share a chain. */
interface Bundle {
  readonly chain: Chain;
  /** Numbers within the group, ascending. */
  readonly filters: readonly number[];
  /** Equal for equal filters. */
  readonly filtersKey: string;
}

function keyOf({ chain, filtersKey }: Bundle): string {
  return `${chain.id}:${filtersKey}`;
}

/** The disturbed filters at an output position. */
function bundlesAt(
  m: number,
  { chainOf }: Chains,
  filterClasses: readonly (readonly number[])[],
): Bundle[] {
  const classes = new Map<number, { chain: Chain; numbers: number[] }>();
  for (const [number, filters] of filterClasses.entries()) {
    const chain = chainOf(m, filters[0]);
    if (chain === undefined) continue;
    const known = classes.get(chain.id);
    if (known) known.numbers.push(number);
    else classes.set(chain.id, { chain, numbers: [number] });
  }
  return [...classes.values()].map(({ chain, numbers }) => ({
    chain,
    filters: numbers.flatMap((number) => filterClasses[number]).sort((a, b) => a - b),
    filtersKey: numbers.join(),
  }));
}

/** Makes the parts of bundles. */
function partMaker(layer: ArrayWeights): (bundles: readonly Bundle[]) => SumPart[] {
  const { output, groups } = layer.shape;
  const filterCount = output.channels / groups;
  const readFilters = filterReader(layer);
  // Of the same filters the weights read last: they change from one group of output positions to the next only below
  // faulty registers.
  const last = new Map<string, { readonly weights: number; readonly read: FilterWeights }>();

  function filtersOf(group: number, { chain, filters, filtersKey }: Bundle): FilterWeights {
    const changedAlone = chain.steps === undefined;
    const key = `${group}:${filtersKey}:${changedAlone}`;
    const known = last.get(key);
    if (known?.weights === chain.weights.id) return known.read;
    const channels = Uint32Array.from(filters, (n) => group * filterCount + n);
    const read = readFilters(channels, chain.weights.functions, changedAlone);
    last.set(key, { weights: chain.weights.id, read });
    return read;
  }

  return (bundles) =>
    Array.from({ length: groups }, (_, group) => group).flatMap((group) =>
      bundles
        .map((bundle) => ({
          ...filtersOf(group, bundle),
          steps: bundle.chain.steps ?? NO_STEPS,
        }))
        .filter(({ channels }) => channels.length > 0),
    );
}

const NOTHING: WordMasks = {
  and: new Uint32Array(0),
  or: new Uint32Array(0),
  xor: new Uint32Array(0),
};
const NO_STEPS: SumSteps = { at: new Uint32Array(0), product: NOTHING, sum: NOTHING };

/** Numbers 0, 1, … below `count` by class, each ascending. */
function classesOf(count: number, classOf: (number: number) => number): number[][] {
  const classes = new Map<number, number[]>();
  for (let number = 0; number < count; number++) {
    const key = classOf(number);
    const known = classes.get(key);
    if (known) known.push(number);
    else classes.set(key, [number]);
  }
  return [...classes.values()];
}
