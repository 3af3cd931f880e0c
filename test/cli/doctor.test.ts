import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KERNEL_PROVIDERS, kernelsInUse } from '../../kernels/index.js';
import { bitcell, bitcellJson, newFolder } from './command.js';

interface Report {
  readonly node: string;
  readonly kernels: { readonly provider: string; readonly instructionSet: string };
  readonly providers: readonly {
    readonly name: string;
    readonly unavailable: string | null;
    readonly instructionSets: readonly {
      readonly name: string;
      readonly missing?: string;
      readonly layers?: number;
      readonly wrong?: readonly string[];
    }[];
  }[];
  readonly data: { readonly found: boolean };
}

test('doctor says what there is, and that all kernels compute what the reference does', async () => {
  const report = (await bitcellJson(['doctor'])) as unknown as Report;
  expect(report.node).toBe(process.version);
  expect(report.kernels).toEqual(kernelsInUse());
  expect(report.data.found).toBe(true);
  expect(report.providers.map(({ name }) => name)).toEqual([...KERNEL_PROVIDERS]);
  for (const { unavailable, instructionSets } of report.providers) {
    if (unavailable !== null) expect(instructionSets).toEqual([]);
    else expect(instructionSets.some(({ missing }) => missing === undefined)).toBe(true);
    for (const { missing, layers, wrong } of instructionSets) {
      if (missing === undefined) expect({ layers, wrong }).toEqual({ layers: 20, wrong: [] });
    }
  }
});

test('doctor names kernels that are not there, and what is used instead', async () => {
  const library = join(newFolder(), 'nothing.node');
  const { status, stdout } = await bitcell(['doctor'], {
    env: { BITCELL_NATIVE_LIBRARY: library },
  });
  expect(status).toBe(0);
  expect(stdout).toContain('kernels: wasm, simd128 (--kernels)');
  expect(stdout).toMatch(/^native +- +there is no .*nothing\.node: "npm run build" makes it/m);
  const refused = await bitcell(['doctor', '--kernels', 'native'], {
    env: { BITCELL_NATIVE_LIBRARY: library },
  });
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain(`There are no native kernels: there is no ${library}`);
});
