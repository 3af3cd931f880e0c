import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import type { OnnxNode } from '../../models/index.js';
import {
  BETWEEN_ISLANDS,
  type GraphSchedule,
  scheduleIslands,
} from '../../models/islands/schedule.js';

/** A node that takes what others make; all make what they are called. */
function node(name: string, inputs: readonly string[]): OnnxNode {
  return { name, opType: 'Any', domain: '', inputs, outputs: [name], attributes: new Map() };
}

function schedule(
  nodes: readonly OnnxNode[],
  islands: readonly string[],
  light: readonly string[] = [],
): GraphSchedule {
  return scheduleIslands(
    nodes,
    ({ inputs }) => inputs,
    new Map(nodes.filter(({ name }) => islands.includes(name)).map((one) => [one, 'no reader'])),
    ({ name }) => light.includes(name),
  );
}

function shown({ steps }: GraphSchedule): string[] {
  return steps.map((step) =>
    step.kind === 'node' ? step.node.name : `[${step.nodes.map(({ name }) => name).join(' ')}]`,
  );
}

test('a graph of which all is simulated stays in its order', () => {
  const nodes = [node('a', ['x']), node('b', ['a']), node('c', ['x'])];
  expect(shown(schedule(nodes, []))).toEqual(['a', 'b', 'c']);
});

test('branches share an island', () => {
  const nodes = [
    ...[node('a', ['x']), node('up a', ['a']), node('b', ['x']), node('up b', ['b'])],
    ...[node('join', ['up a', 'up b'])],
  ];
  expect(shown(schedule(nodes, ['up a', 'up b']))).toEqual(['a', 'b', '[up a up b]', 'join']);
});

test('what is light and stands between two islands joins them', () => {
  const nodes = [
    ...[node('lstm', ['x']), node('squeeze', ['lstm']), node('add', ['squeeze', 'x'])],
    ...[node('lstm 2', ['add']), node('reshape', ['lstm 2']), node('gemm', ['reshape'])],
  ];
  const light = ['squeeze', 'add', 'reshape'];
  const found = schedule(nodes, ['lstm', 'lstm 2'], light);
  expect(shown(found)).toEqual(['[lstm squeeze add lstm 2]', 'reshape', 'gemm']);
  expect([...found.reasons.values()]).toEqual([
    ...['no reader', BETWEEN_ISLANDS, BETWEEN_ISLANDS, 'no reader'],
  ]);
});

test('what the array computes never joins an island, nor what would save none', () => {
  const nodes = [
    ...[node('up', ['x']), node('relu', ['up']), node('conv', ['up'])],
    ...[node('add', ['relu', 'conv']), node('up 2', ['add'])],
  ];
  expect(shown(schedule(nodes, ['up', 'up 2'], ['relu', 'add']))).toEqual([
    ...['[up]', 'relu', 'conv', 'add', '[up 2]'],
  ]);
});

/** A graph of which each node takes some of those before it. */
const graphs = fc
  .integer({ min: 1, max: 7 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        fc.record({
          inputs: fc.subarray(Array.from({ length: index }, (_, earlier) => `n${earlier}`)),
          kind: fc.constantFrom('heavy', 'light', 'island'),
        }),
      ),
    ),
  )
  .map((drawn) => ({
    nodes: drawn.map(({ inputs }, index) => node(`n${index}`, inputs)),
    ...Object.fromEntries(
      ['light', 'island'].map((kind) => [
        kind,
        drawn.flatMap((one, index) => (one.kind === kind ? [`n${index}`] : [])),
      ]),
    ),
  })) as fc.Arbitrary<{ nodes: OnnxNode[]; light: string[]; island: string[] }>;

/** The least islands that any order of the nodes has. */
function leastIslands(nodes: readonly OnnxNode[], islands: ReadonlySet<string>): number {
  const known = new Map<string, number>();
  const from = (done: ReadonlySet<string>, inIsland: boolean): number => {
    if (done.size === nodes.length) return 0;
    const key = JSON.stringify([[...done].sort(), inIsland]);
    const ready = nodes.filter(
      ({ name, inputs }) => !done.has(name) && inputs.every((input) => done.has(input)),
    );
    const least =
      known.get(key) ??
      Math.min(
        ...ready.map(({ name }) => {
          const isIsland = islands.has(name);
          return (isIsland && !inIsland ? 1 : 0) + from(new Set([...done, name]), isIsland);
        }),
      );
    known.set(key, least);
    return least;
  };
  return from(new Set(), false);
}

property.prop([graphs])('each node runs once, behind those that it takes values of', (graph) => {
  const { steps, reasons } = schedule(graph.nodes, graph.island, graph.light);
  const order = steps.flatMap((step) => (step.kind === 'node' ? [step.node] : step.nodes));
  expect(new Set(order)).toEqual(new Set(graph.nodes));
  expect(order.length).toBe(graph.nodes.length);
  for (const [index, { inputs }] of order.entries()) {
    const before = order.slice(0, index).map(({ name }) => name);
    expect(inputs.filter((input) => !before.includes(input))).toEqual([]);
  }
  const inside = steps.flatMap((step) => (step.kind === 'island' ? step.nodes : []));
  expect(new Set(inside)).toEqual(new Set(reasons.keys()));
});

property.prop([graphs])('no order has fewer islands of these nodes', (graph) => {
  const { steps, reasons } = schedule(graph.nodes, graph.island, graph.light);
  const islands = new Set([...reasons.keys()].map(({ name }) => name));
  const found = steps.filter(({ kind }) => kind === 'island').length;
  expect(found).toBe(leastIslands(graph.nodes, islands));
});

property.prop([graphs])('light nodes never make more islands', (graph) => {
  const count = (light: readonly string[]) =>
    schedule(graph.nodes, graph.island, light).steps.filter(({ kind }) => kind === 'island').length;
  expect(count(graph.light)).toBeLessThanOrEqual(count([]));
});
