import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../core/index.js';

/** A way into the package: `campaign` for `bitcell/campaign`, `bitcell` for the package itself. */
export interface Entry {
  readonly name: string;
  /** Its declarations, as they are published. */
  readonly declarations: string;
}

/** The entries that package.json names, but for package.json itself. */
export function entries(): Entry[] {
  const { exports } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string>>;
  };
  return Object.entries(exports)
    .filter(([, target]) => target.endsWith('.js'))
    .map(([path, target]) => ({
      name: path === '.' ? 'bitcell' : path.slice(2).replaceAll('/', '-'),
      declarations: join(packageRoot(), target.replace(/\.js$/, '.d.ts')),
    }));
}
