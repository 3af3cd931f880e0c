import type { OnnxNode } from '../onnx/index.js';
import type { OperatorReader } from './definition.js';
import { OPERATORS } from './index.js';

const READERS = new Map<string, OperatorReader[]>();
for (const { readers } of Object.values(OPERATORS)) {
  for (const reader of readers) {
    const key = keyOf(reader);
    READERS.set(key, [...(READERS.get(key) ?? []), reader]);
  }
}

function keyOf({ domain, opType }: { readonly domain: string; readonly opType: string }): string {
  return `${domain} ${opType}`;
}

/** The readers of a node's operator: the first that can read it does. */
export function readersOf(node: OnnxNode): readonly OperatorReader[] {
  return READERS.get(keyOf(node)) ?? [];
}

/** Names of the operators that are read. */
export const SUPPORTED: readonly string[] = [
  ...new Set(
    Object.values(OPERATORS).flatMap(({ readers }) => readers.map(({ opType }) => opType)),
  ),
  'QuantizeLinear',
  'DequantizeLinear',
  'Identity',
  'Dropout',
  'Constant',
];
