import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { InputError, setMemoryLimit } from '../../core/index.js';
import {
  faultMapOf,
  faultsPerBank,
  formatMatrices,
  parseFaultModel,
  parseFaultModelText,
  readPermutation,
  uniformFaultMap,
} from '../../fault/index.js';
import { networkTiming, parseTopology } from '../../sim/index.js';
import { newFolder, refusal } from './command.js';

beforeAll(() => setMemoryLimit(1e9));

const folder = newFolder();
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const HEADINGS =
  'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n';

const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
  .concat(
    Array.from(
      { length: 10 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
    ),
  )
  .join('\n');

describe('small inputs that stand for something huge are refused', () => {
  const many = { banks: 1e9, rows: 4, columns: 4 };
  const big = { banks: 16_384, rows: 65_536, columns: 4096 };
  const uniform = (rate: number) => ({ faults: 'flip', seed: 1, trial: 0, rate }) as const;
  const lines = parseFaultModel({ model: 'banks' }, 'model');
  const clusters = parseFaultModel({ model: 'clusters', clustering: 1 }, 'model');
  const oneBank = parseFaultModel({ model: 'uniform', scope: { banks: [3] } }, 'model');

  test.each([
    [
      'faults',
      () => uniformFaultMap({ geometry: big, ...uniform(0.1) }),
      /of the rate 0\.1 in 16384 banks/,
    ],
    ['lines', () => faultMapOf(lines, big, 1, 0, 0.5), /of the rate 0\.5 in 16384 banks/],
    ['clusters', () => faultMapOf(clusters, big, 1, 0, 0.5), /of the rate 0\.5 in 16384 banks/],
    [
      'banks of a scope',
      () => faultMapOf(oneBank, many, 1, 0, 1e-9),
      /A scope in 1000000000 banks/,
    ],
    [
      'banks to count',
      () => faultsPerBank(uniformFaultMap({ geometry: many, ...uniform(1e-10) })),
      /banks/,
    ],
    [
      'cells of matrices',
      () => formatMatrices(uniformFaultMap({ geometry: big, ...uniform(0) }), 'm.csv'),
      /^m\.csv: 0\/1 matrices/,
    ],
    [
      'channels of a topology',
      () => parseTopology(HEADINGS + 'convDP, 34, 34, 3, 3, 65536, 1, 1,\n'.repeat(200), 't.csv'),
      /^t\.csv: 327680 layers would take/,
    ],
    [
      'aliases',
      () => parseFaultModelText(bomb, 'bomb.yaml'),
      /^bomb\.yaml:2:10: aliases of aliases/,
    ],
    [
      'aliases of a permutation',
      () => readPermutation(file('bomb.yaml', bomb)),
      /bomb\.yaml:2:10: aliases of aliases/,
    ],
  ])('%s', (_, read, message) => {
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });

  test.each(['double-buffer', 'scalesim-v2'] as const)('steps of the %s model', (model) => {
    const [{ shape }] = parseTopology(
      `${HEADINGS}a, 2000000, 2000000, 1, 1, 1, 512, 1,\n`,
      't.csv',
    );
    const array = { rows: 1, columns: 1, dataflow: 'output-stationary' } as const;
    const memory = {
      model,
      buffers: { input: 1024, weights: 1024, output: 1024 },
      bandwidth: { input: 1, weights: 1, output: 1 },
    };
    expect(() => networkTiming([shape], array)).not.toThrow();
    expect(() => networkTiming([shape], array, memory)).toThrow(/too many to simulate one by one/);
  });
});

describe('commands', () => {
  test('take a limit, and say which one would do', async () => {
    const create = [
      'map',
      'create',
      '--geometry',
      '64x65536x4096',
      '--rate',
      '1e-3',
      '-o',
      'm.json',
    ];
    expect(await refusal([...create, '--memory-limit', '512MiB'])).toMatch(
      /of the rate 0\.001 in 64 banks .* above the limit of 537 MB; .* --memory-limit 1GB\.$/,
    );
    expect(await refusal(create, { env: { BITCELL_MEMORY_LIMIT: '300MB' } })).toContain(
      'above the limit of 300 MB',
    );
    expect(await refusal([...create, '--memory-limit', '4'])).toContain('is not a size');
    expect(await refusal([...create, '--memory-limit', '1MB'])).toContain('at least 256MB');
  });

  test('refuse nested lists and endless threads', async () => {
    const map = file('deep.json', '['.repeat(200_000) + ']'.repeat(200_000));
    expect(await refusal(['map', 'show', map])).toBe(
      `${map}:1:101: lists and objects are nested more than 100 levels deep.`,
    );
    expect(await refusal(['run', '--threads', '100000'])).toContain('at most');
  });
});
