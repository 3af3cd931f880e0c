import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { LAYOUTS, layoutBytes } from '../../kernels/layouts.js';

const ASSEMBLY = join(packageRoot(), 'kernels', 'assembly');

/** Bytes in a memory of 32-bit addresses. */
const BYTES: Readonly<Record<string, number>> = { i32: 4, usize: 4 };

/** Names and types of the fields of each class that kernels read from memory, by its name. */
function unmanagedClasses(): Map<string, [string, string][]> {
  const classes = new Map<string, [string, string][]>();
  for (const file of readdirSync(ASSEMBLY, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(ASSEMBLY, file), 'utf8').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
    for (const [, name, body] of text.matchAll(/@unmanaged\s+(?:export )?class (\w+) {(.*?)}/gs)) {
      const fields = body.split(';').filter((field) => field.trim() !== '');
      classes.set(
        name,
        fields.map((field) => {
          const [, label, type] = /^\s*(\w+): (\w+)$/.exec(field) ?? [];
          return [label, type];
        }),
      );
    }
  }
  return classes;
}

const classes = unmanagedClasses();

test('every layout has its class in kernels/assembly, and every class its layout', () => {
  expect([...classes.keys()].sort()).toEqual(Object.keys(LAYOUTS).sort());
});

describe.each([...classes])('%s', (name, fields) => {
  const layout = LAYOUTS[name as keyof typeof LAYOUTS];

  test('has the names and types of its layout, in its order', () => {
    // A class as a type is its address.
    const types = fields.map(([field, type]) => [field, classes.has(type) ? 'usize' : type]);
    expect(Object.entries(layout)).toEqual(types);
  });

  test('has its size', () => {
    const bytes = Object.values(layout).map((type) => BYTES[type]);
    expect(layoutBytes(name as keyof typeof LAYOUTS)).toBe(bytes.reduce((a, b) => a + b));
  });
});
