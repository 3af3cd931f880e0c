import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Holds the folders of the test file that runs now; files that run one after the other share this module. */
let root: string | undefined;

/** A new, empty folder, which is there until the test file ends. */
export function newFolder(): string {
  root ??= mkdtempSync(join(tmpdir(), 'bitcell-test-'));
  return mkdtempSync(join(root, 'folder-'));
}

/** What `test/setup.ts` does when a test file ends. */
export function removeFolders(): void {
  if (root !== undefined) rmSync(root, { recursive: true });
  root = undefined;
}
