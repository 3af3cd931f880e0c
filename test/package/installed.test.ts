import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot, readFloat32Npy, writeNpy } from '../../core/index.js';

const folder = mkdtempSync(join(tmpdir(), 'bitcell-installed-'));

afterAll(() => rmSync(folder, { recursive: true }));

/** As a user's shell has it: nothing of the npm that runs the tests. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|BITCELL_|NODE_OPTIONS|VITEST)/i.test(name),
  ),
);

function run(command: string, args: readonly string[], cwd = folder): string {
  return execFileSync(command, args, { cwd, env: environment, encoding: 'utf8', stdio: 'pipe' });
}

/** Those that need no package besides the dependencies. */
const ENTRIES = [
  '',
  '/core',
  '/models',
  '/kernels',
  '/fault',
  '/sim',
  '/mitigation',
  '/campaign',
  '/campaign/verify',
  '/report',
] as const;

describe('the packed package, installed in an empty project', () => {
  beforeAll(() => {
    const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const [{ filename }] = JSON.parse(run('npm', packing, packageRoot()));
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename)]);
  }, 300_000);

  test('makes a fault map, times a network and infers with broken cells', () => {
    run('npx', ['bitcell', 'map', 'create', '--rate', '1e-4', '--output', 'map.json']);
    expect(readdirSync(folder)).toContain('map.json');
    // What npx calls, without its own second of processor time.
    const bitcell = join(folder, 'node_modules', '.bin', 'bitcell');
    const { total } = JSON.parse(run(bitcell, ['timing', '--json']));
    expect(total.totalCycles).toBeGreaterThan(0);
    const images = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, index) => Math.sin(index));
    writeNpy(join(folder, 'x.npy'), { shape: [2, 3, 32, 32], data: images });
    const infer = ['infer', 'alexnet', '--input', 'x.npy', '--output', 'y.npy'];
    run(bitcell, [...infer, '--fault-map', 'map.json']);
    expect(readFloat32Npy(join(folder, 'y.npy')).shape).toEqual([2, 10]);
  });

  test('has its library entries', () => {
    const count = `for (const entry of ${JSON.stringify(ENTRIES)})
      console.log(entry, Object.keys(await import('bitcell' + entry)).length > 0);`;
    expect(run('node', ['--input-type=module', '--eval', count])).toBe(
      ENTRIES.map((entry) => `${entry} true\n`).join(''),
    );
  });

  test('says how to get onnxruntime where it is missing', () => {
    // Its installation script fails where GPU libraries cannot be fetched; elsewhere it is taken away.
    rmSync(join(folder, 'node_modules', 'onnxruntime-node'), { recursive: true, force: true });
    const probe =
      "import { onnxruntimeOverflows } from 'bitcell/campaign/verify'; await onnxruntimeOverflows().catch((error) => console.log(error.message))";
    expect(run('node', ['--input-type=module', '--eval', probe])).toMatch(
      /onnxruntime-node is not installed: add it with ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@/,
    );
  });
});

test("npm ci never runs onnxruntime-node's installation script, which fails without its host", () => {
  const lock = JSON.parse(readFileSync(join(packageRoot(), 'package-lock.json'), 'utf8'));
  // npm 11 asks `allowScripts` of package.json, npm 10 this mark of the lock file.
  expect(lock.packages['node_modules/onnxruntime-node'].hasInstallScript).toBeUndefined();
});
