import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featureCount, InputError } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  readNetwork,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { buildCase } from '../fuzz/build.js';
import { recipes } from '../fuzz/recipes.js';
import { FEATURES, type Form } from '../fuzz/support.js';
import {
  batchNormalized,
  byteMutations,
  modelMutations,
  mutateBytes,
  mutateModel,
} from './hostile.js';

/** More for a thorough run: HOSTILE_CASES=100000 npx vitest run test/models/hostile.test.ts */
const CASES = Number(process.env.HOSTILE_CASES ?? 1500);

/** Small networks of every form. */
const models: fc.Arbitrary<OnnxModel> = fc.oneof(
  {
    weight: 3,
    arbitrary: recipes('float32', FEATURES.float32).map((recipe) =>
      batchNormalized(buildCase(recipe, FEATURES.float32).model),
    ),
  },
  ...(Object.keys(FEATURES) as Form[]).map((form) => ({
    weight: 7,
    arbitrary: recipes(form, FEATURES[form]).map(
      (recipe) => buildCase(recipe, FEATURES[form]).model,
    ),
  })),
);

const kernels = loadKernels();
/** Larger networks are only read: to run them takes memory that their files rightly ask for. */
const MOST_VALUES = 1e6;

/** What a mutated file came to: read, and then fit to run, or the message of its error. */
function outcome(bytes: Uint8Array): string | undefined {
  try {
    const network = readNetwork(bytes, 'net');
    const values = network.tensors.reduce((sum, { shape }) => sum + featureCount(shape), 0);
    // What the host computes is checked when a datapath is made.
    if (values < MOST_VALUES) createNetworkDatapath(network, kernels, 1);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Checks a property of `CASES` mutated files and reports the slowest. */
function check<T>(files: fc.Arbitrary<T>, encode: (file: T) => Uint8Array): void {
  let refused = 0;
  let slowest = 0;
  fc.assert(
    fc.property(files, (file) => {
      const bytes = encode(file);
      const start = performance.now();
      const message = outcome(bytes);
      slowest = Math.max(slowest, performance.now() - start);
      if (message === undefined) return;
      refused += 1;
      expect(message).not.toMatch(/\p{Cc}/u);
      expect(message.length).toBeLessThan(20_000);
      expect(message).toMatch(/^net\b/);
    }),
    { numRuns: CASES, ...(process.env.HOSTILE_CASES && { seed: 1 }) },
  );
  expect(refused).toBeGreaterThan(CASES / 4);
  if (process.env.HOSTILE_CASES) {
    process.stderr.write(`${CASES} files, ${refused} refused, slowest ${slowest.toFixed(1)} ms\n`);
  }
}

describe('a mutated file is read, or refused with one clean sentence', () => {
  test('bytes', () => {
    check(fc.tuple(models, byteMutations), ([model, mutations]) =>
      mutateBytes(encodeOnnx(model), mutations),
    );
  });

  test('structure', () => {
    check(fc.tuple(models, modelMutations), ([model, mutations]) =>
      encodeOnnx(mutateModel(model, mutations)),
    );
  });
});

const int = (value: number): OnnxAttribute => ({ type: 'int', value });
const shape = { elementType: 'float32', dims: [1, 1, 2, 2] } as const;
const pool: OnnxNode = {
  name: 'pool',
  opType: 'MaxPool',
  domain: '',
  inputs: ['x'],
  outputs: ['y'],
  attributes: new Map([['kernel_shape', { type: 'ints', value: [2, 2] }]]),
};
const pooling: OnnxModel = {
  irVersion: 7,
  producer: 'test',
  opsets: new Map([['', 13]]),
  metadata: new Map(),
  graph: {
    name: 'graph',
    nodes: [pool],
    initializers: [],
    inputs: [{ name: 'x', ...shape }],
    outputs: [{ name: 'y', ...shape }],
  },
};

function refusal(node: Partial<OnnxNode>, graph: Partial<OnnxModel['graph']> = {}) {
  const nodes = [{ ...pool, ...node }];
  return outcome(encodeOnnx({ ...pooling, graph: { ...pooling.graph, nodes, ...graph } }));
}

describe('readNetwork refuses', () => {
  test('nothing of the model that the other cases change', () => {
    expect(refusal({})).toBe(undefined);
  });

  test('names with control characters, which would reach a terminal', () => {
    expect(refusal({ name: 'a\u001b[31m' })).toBe(
      'net: a node\'s name "a\\u001b[31m" holds control characters',
    );
    expect(refusal({ inputs: ['x', '\n'] })).toBe(
      'net: a node\'s input "\\u000a" holds control characters',
    );
    expect(
      refusal({ attributes: new Map([['auto_pad', { type: 'string', value: '\u0007' }]]) }),
    ).toBe('net: attribute "auto_pad" of node "pool" (MaxPool) "\\u0007" holds control characters');
  });

  test('names without end', () => {
    expect(refusal({ name: 'x'.repeat(4097) })).toBe(
      "net: a node's name has 4097 characters; at most 4096 are read",
    );
  });

  test('a node that takes its own output', () => {
    expect(refusal({ inputs: ['x', 'y'] })).toBe(
      'net: node "pool" (MaxPool) takes "y", which is neither an initialiser nor made by an earlier node',
    );
  });

  test('two initialisers of one name', () => {
    const tensor = {
      name: 'w',
      elementType: 'float32',
      dims: [],
      data: Float32Array.of(1),
    } as const;
    expect(refusal({}, { initializers: [tensor, tensor] })).toBe(
      'net has two initialisers named "w"',
    );
  });

  test('an attribute of another kind than its operator needs', () => {
    const attributes = (value: OnnxAttribute) => new Map([...pool.attributes, ['strides', value]]);
    expect(refusal({ attributes: attributes(int(2)) })).toBe(
      'net: node "pool" (MaxPool) has an attribute "strides" that is not 2 integers of at least 1',
    );
    expect(refusal({ attributes: new Map([...pool.attributes, ['auto_pad', int(0)]]) })).toBe(
      'net: node "pool" (MaxPool) has an attribute "auto_pad" that is not a string',
    );
    // On the wire the type is the last field of the attribute: 7 (integers) becomes 5 (a graph).
    const strides = attributes({ type: 'ints', value: [2, 2] });
    const bytes = encodeOnnx({
      ...pooling,
      graph: { ...pooling.graph, nodes: [{ ...pool, attributes: strides }] },
    });
    const place = Buffer.from(bytes).lastIndexOf(Buffer.of(0xa0, 1, 7)) + 2;
    expect(outcome(bytes.with(place, 5))).toBe(
      'net: node "pool" (MaxPool) has an attribute "strides" that is not 2 integers of at least 1',
    );
  });
});
