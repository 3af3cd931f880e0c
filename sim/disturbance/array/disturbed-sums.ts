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
 * @param layer with its weights as the weight memory gives them, without `registerPatches`
 * @throws InputError when the array does not have such registers
 */
export function disturbedSums(
  layer: ArrayWeights,
  faults: ArrayFaults,
  array: SystolicArray,
): SumGroup[] {
  checkArrayFaults(faults, array);
  const { output, groups: groupCount } = layer.shape;
  const chains = chainsOf(layer, faults, array);
  const filterClasses = classesOf(output.channels / groupCount, chains.filterClass);
  const partsOf = partMaker(layer);

  const found = new Map<string, { positions: number[][]; parts: readonly SumPart[] }>();
  for (const positions of classesOf(output.height * output.width, chains.positionClass)) {
    const bundles = bundlesAt(positions[0], chains, filterClasses);
    const key = bundles.map(keyOf).join(';');
    const known = found.get(key);
    if (known) known.positions.push(positions);
    else found.set(key, { positions: [positions], parts: partsOf(bundles) });
  }
  return [...found.values()]
    .filter(({ parts }) => parts.length > 0)
    .map(({ positions, parts }) => ({ positions: ascending(positions), parts }));
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

/** Makes the parts of bundles; what several of them have in common is made once. */
function partMaker(layer: ArrayWeights): (bundles: readonly Bundle[]) => SumPart[] {
  const { output, groups } = layer.shape;
  const filterCount = output.channels / groups;
  const readFilters = filterReader(layer);
  const filtersRead = new Map<string, FilterWeights>();
  const parts = new Map<string, SumPart>();

  function partOf(group: number, bundle: Bundle): SumPart {
    const { chain, filters, filtersKey } = bundle;
    return remembered(parts, `${group}:${keyOf(bundle)}`, () => {
      const changedAlone = chain.steps === undefined;
      const key = `${group}:${filtersKey}:${chain.weights.id}:${changedAlone}`;
      const read = remembered(filtersRead, key, () => {
        const channels = Uint32Array.from(filters, (n) => group * filterCount + n);
        return readFilters(channels, chain.weights.functions, changedAlone);
      });
      return { ...read, steps: chain.steps ?? NO_STEPS };
    });
  }

  return (bundles) =>
    Array.from({ length: groups }, (_, group) => bundles.map((bundle) => partOf(group, bundle)))
      .flat()
      .filter(({ channels }) => channels.length > 0);
}

const NOTHING: WordMasks = {
  and: new Uint32Array(0),
  or: new Uint32Array(0),
  xor: new Uint32Array(0),
};
const NO_STEPS: SumSteps = { at: new Uint32Array(0), product: NOTHING, sum: NOTHING };

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

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

function ascending(lists: readonly (readonly number[])[]): Uint32Array {
  return Uint32Array.from(lists.flat()).sort();
}
