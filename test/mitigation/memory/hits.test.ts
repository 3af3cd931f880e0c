import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadNetwork } from '../../../campaign/index.js';
import { loadFaultMap } from '../../../fault/index.js';
import { type MemoryPart, memorySideOf, type Verdicts } from '../../../mitigation/index.js';
import {
  DEFAULT_ACCELERATOR,
  loadAccelerator,
  placeNetwork,
  storedWords,
} from '../../../sim/index.js';

/** Known answers of another program: AlexNet on the default accelerator. */
const folder = join(import.meta.dirname, 'cases', 'hits');

/** The parts that the names of the files stand for. */
const PARTS: Readonly<Record<string, MemoryPart>> = {
  secded: { use: 'secded' },
  'secded-32': { use: 'secded', dataBits: 32 },
  'secded-zero': { use: 'secded', onDetect: 'zero' },
  'bch-dec': { use: 'bch-dec' },
  'bch-dec-32': { use: 'bch-dec', dataBits: 32 },
  'bch-dec-zero': { use: 'bch-dec', onDetect: 'zero' },
  parity: { use: 'parity' },
  rotate: { use: 'rotate' },
  'rotate-data': { use: 'rotate', by: 'data' },
  invert: { use: 'invert' },
  mask: { use: 'word-masking' },
  closest: { use: 'closest-value' },
  harden: { use: 'harden' },
  'range-check': { use: 'range-check' },
  'range-check-channel': { use: 'range-check', granularity: 'channel' },
};

interface KnownAnswer {
  readonly changed: readonly { readonly weight: number; readonly readWord: string }[];
  readonly verdicts: Readonly<Record<string, number>>;
}

const NO_VERDICTS = { noError: 0, corrected: 0, detected: 0, miscorrected: 0, undetected: 0 };

const maps = readdirSync(folder).filter((name) => name.endsWith('.map.json'));

describe.each(maps)('%s', (map) => {
  const name = map.replace('.map.json', '');
  const network = loadNetwork('alexnet', name.startsWith('float32') ? 'float32' : 'int8');
  const placement = placeNetwork(network, loadAccelerator(DEFAULT_ACCELERATOR), 'resident');
  const words = storedWords(network);
  const faults = loadFaultMap(join(folder, map), placement.geometry);
  const answers = readdirSync(folder).filter((file) => file.startsWith(`${name}.`) && file !== map);

  test.each(answers)('%s', (file) => {
    const uses = file.slice(name.length + 1, -'.json'.length);
    const parts = uses === 'none' ? [] : uses.split('+').map((use) => PARTS[use]);
    const known = JSON.parse(readFileSync(join(folder, file), 'utf8')) as KnownAnswer;
    const verdicts: Verdicts = { ...NO_VERDICTS };
    const side = memorySideOf(parts, { network, placement }, words);
    const patches = side.patchesOf(faults, undefined, verdicts);
    expect([...patches.weights]).toEqual(known.changed.map(({ weight }) => weight));
    expect([...patches.words]).toEqual(known.changed.map(({ readWord }) => Number(readWord)));
    const { 'no error': noError = 0, ...others } = known.verdicts;
    expect(verdicts).toEqual({ ...NO_VERDICTS, noError, ...others });
  });
});
