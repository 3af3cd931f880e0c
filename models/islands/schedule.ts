import type { OnnxNode } from '../onnx/index.js';

/** Nodes that run one after the other: one that is simulated, or those of one island. */
export type GraphStep =
  | { readonly kind: 'node'; readonly node: OnnxNode }
  | { readonly kind: 'island'; readonly nodes: readonly OnnxNode[] };

/** An order in which a graph is computed. */
export interface GraphSchedule {
  readonly steps: readonly GraphStep[];
  /** Why each node of an island is not simulated. */
  readonly reasons: ReadonlyMap<OnnxNode, string>;
}

/** What a node that could be simulated does in an island, in words that follow the node. */
export const BETWEEN_ISLANDS = 'stands between nodes that are not simulated';

/**
 * Divides a graph into nodes that are simulated and few islands: nodes are simulated as long as there are any that can
 * be, then all nodes of an island that can be run are, and so on. Light nodes that stand between two islands join them
 * where that makes one island of both.
 *
 * @param nodes each behind those that make what it takes
 * @param takenBy names of the values that a node takes, those of its subgraphs included
 * @param unsimulated nodes that must be in islands, and why
 * @param isLight whether a node may join islands: that the array does not compute it
 */
export function scheduleIslands(
  nodes: readonly OnnxNode[],
  takenBy: (node: OnnxNode) => readonly string[],
  unsimulated: ReadonlyMap<OnnxNode, string>,
  isLight: (node: OnnxNode) => boolean,
): GraphSchedule {
  if (unsimulated.size === 0) {
    return { steps: nodes.map((node) => ({ kind: 'node', node })), reasons: unsimulated };
  }
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const before = new Map(
    nodes.map((node) => [
      node,
      takenBy(node).flatMap((name) => {
        const maker = name === '' ? undefined : makers.get(name);
        return maker ? [maker] : [];
      }),
    ]),
  );
  const joined = joinedNodes(nodes, before, unsimulated, isLight);
  const reasons = new Map(
    nodes.flatMap((node) => {
      const reason = unsimulated.get(node) ?? (joined.has(node) ? BETWEEN_ISLANDS : undefined);
      return reason === undefined ? [] : [[node, reason] as const];
    }),
  );
  const levels = levelsOf(nodes, before, (node) => reasons.has(node));
  const steps: GraphStep[] = [];
  const last = Math.max(...levels.values());
  for (let level = 0; level <= last; level += 1) {
    const its = nodes.filter((node) => levels.get(node) === level);
    if (level % 2 === 0) steps.push(...its.map((node) => ({ kind: 'node', node }) as const));
    else if (its.length > 0) steps.push({ kind: 'island', nodes: its });
  }
  return { steps, reasons };
}

type Before = ReadonlyMap<OnnxNode, readonly OnnxNode[]>;

/**
 * When each node runs, as early as possible: simulated nodes at even levels, those of islands at odd ones, so that each
 * odd level is one island.
 */
function levelsOf(
  nodes: readonly OnnxNode[],
  before: Before,
  isInIsland: (node: OnnxNode) => boolean,
): Map<OnnxNode, number> {
  const levels = new Map<OnnxNode, number>();
  for (const node of nodes) {
    const parity = isInIsland(node) ? 1 : 0;
    let level = parity;
    for (const earlier of before.get(node) ?? []) {
      const its = levels.get(earlier) ?? 0;
      level = Math.max(level, its + (its % 2 === parity ? 0 : 1));
    }
    levels.set(node, level);
  }
  return levels;
}

/** The light nodes that make one island of two. */
function joinedNodes(
  nodes: readonly OnnxNode[],
  before: Before,
  unsimulated: ReadonlyMap<OnnxNode, string>,
  isLight: (node: OnnxNode) => boolean,
): ReadonlySet<OnnxNode> {
  const after = new Map<OnnxNode, OnnxNode[]>(nodes.map((node) => [node, []]));
  for (const [node, earlier] of before) for (const one of earlier) after.get(one)?.push(node);
  const light = new Set(nodes.filter((node) => !unsimulated.has(node) && isLight(node)));
  const behind = reached(nodes, before, unsimulated, light);
  const ahead = reached(nodes.toReversed(), after, unsimulated, light);
  let groups = connected(
    nodes.filter((node) => behind.has(node) && ahead.has(node)),
    before,
    after,
  );
  for (;;) {
    const joined = new Set(groups.flat());
    const levels = levelsOf(nodes, before, (node) => unsimulated.has(node) || joined.has(node));
    const saving = groups.filter((group) => {
      const [earlier, later] = [before, after].map((neighbours) =>
        group
          .flatMap((node) => neighbours.get(node) ?? [])
          .filter((node) => unsimulated.has(node))
          .map((node) => levels.get(node)),
      );
      return earlier.some((level) => later.includes(level));
    });
    if (saving.length === groups.length) return joined;
    groups = saving;
  }
}

/** The light nodes to which light nodes alone lead from one that is not simulated. */
function reached(
  nodes: readonly OnnxNode[],
  neighbours: Before,
  unsimulated: ReadonlyMap<OnnxNode, string>,
  light: ReadonlySet<OnnxNode>,
): ReadonlySet<OnnxNode> {
  const found = new Set<OnnxNode>();
  for (const node of nodes) {
    const leads = (neighbour: OnnxNode) => unsimulated.has(neighbour) || found.has(neighbour);
    if (light.has(node) && neighbours.get(node)?.some(leads)) found.add(node);
  }
  return found;
}

/** Divides nodes into groups that are connected among themselves. */
function connected(nodes: readonly OnnxNode[], before: Before, after: Before): OnnxNode[][] {
  const left = new Set(nodes);
  const groups: OnnxNode[][] = [];
  for (const first of nodes) {
    if (!left.delete(first)) continue;
    const group = [first];
    for (const node of group) {
      for (const other of [...(before.get(node) ?? []), ...(after.get(node) ?? [])]) {
        if (left.delete(other)) group.push(other);
      }
    }
    groups.push(group);
  }
  return groups;
}
