import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot, parseJson, sha256Hex } from '../../core/index.js';
import { type ImageSet, isIsland, type Network } from '../../models/index.js';
import { islandRuntime } from '../../sim/index.js';
import type { Workload } from '../../workload/index.js';

/** Folders of compiled code that results depend on. */
const CODE_FOLDERS = [
  ...['core', 'workload', 'models', 'kernels', 'fault', 'sim', 'mitigation', 'campaign'],
];

/** SHA-256 of the compiled code that results depend on: scripts and kernels, by path. */
export function codeChecksum(): string {
  const root = join(packageRoot(), 'dist');
  const hash = createHash('sha256');
  for (const folder of CODE_FOLDERS) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.(js|wasm)$/.test(name)).sort()) {
      hash.update(`${folder}/${file}\0`).update(readFileSync(join(root, folder, file)));
    }
  }
  return hash.digest('hex');
}

/** SHA-256 of images and labels. */
export function dataChecksum({ images, labels }: Pick<ImageSet, 'images' | 'labels'>): string {
  return sha256Hex(sha256Hex(images) + sha256Hex(labels));
}

/** SHA-256 of the samples of a study, and of their labels where they have some. */
export function workloadChecksum({ values, labels }: Workload): string {
  const { buffer, byteOffset, byteLength } = values;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return labels ? dataChecksum({ images: bytes, labels }) : sha256Hex(bytes);
}

/** Versions of Bitcell and of what it runs on. */
export function versions(): Record<string, string> {
  return {
    bitcell: versionOf(join(packageRoot(), 'package.json')),
    node: process.versions.node,
    duckdb: versionOf(createRequire(import.meta.url).resolve('@duckdb/node-api/package.json')),
    platform: `${process.platform} ${process.arch}`,
  };
}

/**
 * What computes the islands of networks on this machine: onnxruntime's version, and the processor as far as it chooses
 * by it; undefined where no network has any.
 */
export function islandVersions(networks: readonly Network[]): string | undefined {
  const haveIslands = networks.some(({ layers }) => layers.some(isIsland));
  if (!haveIslands) return undefined;
  const { onnxruntime, processor } = islandRuntime();
  return `onnxruntime ${onnxruntime} on ${processor}`;
}

function versionOf(file: string): string {
  const { version } = parseJson(readFileSync(file, 'utf8'), file) as { version: string };
  return version;
}
