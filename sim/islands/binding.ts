import { createRequire } from 'node:module';
import { BitcellError, InputError } from '../../core/index.js';
import type { ElementArray } from './elements.js';

/** The version with which results are compared, and by which islands are computed. */
const VERSION = '1.30';

/** How to get onnxruntime: its installation script would look for GPU libraries on another host. */
export const INSTALL_ONNXRUNTIME = `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@${VERSION}`;

/** A tensor as the binding takes it, in memory of this thread alone. */
export interface BoundTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ElementArray;
  readonly location: 'cpu';
}

/** A session that loads and runs within the call, so that layers can: the public one answers later. */
export interface BoundSession {
  loadModel(
    buffer: ArrayBuffer,
    byteOffset: number,
    byteLength: number,
    options: Readonly<Record<string, unknown>>,
  ): void;
  /** Writes results into the data of `fetches`. */
  run(
    feeds: Readonly<Record<string, BoundTensor>>,
    fetches: Readonly<Record<string, BoundTensor>>,
    options: object,
  ): unknown;
}

/** Of onnxruntime-node's file `dist/binding.js` what is used here. */
interface Binding {
  readonly binding: { readonly InferenceSession: new () => BoundSession };
  initOrt(): void;
}

/** Loads a module within the call. */
type Require = (module: string) => unknown;

const requireHere: Require = createRequire(import.meta.url);

/** The version of the onnxruntime-node that is installed; undefined: none is. */
export function onnxruntimeVersion(load = requireHere): string | undefined {
  try {
    const { version } = Object(load('onnxruntime-node/package.json')) as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks that onnxruntime-node is installed in the version that islands need, and does not load it.
 *
 * @param why what needs onnxruntime: the beginning of a message
 * @param load loads onnxruntime-node's modules
 * @returns its version
 * @throws InputError saying how to get it
 */
export function requireOnnxruntime(why: string, load = requireHere): string {
  const version = onnxruntimeVersion(load);
  if (version === undefined) {
    throw new InputError(
      `${why}, and the package onnxruntime-node is not installed: add it with ${INSTALL_ONNXRUNTIME}`,
    );
  }
  if (!version.startsWith(`${VERSION}.`)) {
    throw new InputError(
      `${why}, with the version ${VERSION} of onnxruntime-node, but ${version} is installed: change it with ${INSTALL_ONNXRUNTIME}`,
    );
  }
  return version;
}

/**
 * A function that makes sessions.
 *
 * @param why as for `requireOnnxruntime`
 * @param load as well
 * @throws InputError as it does, and where the package has no such sessions
 * @throws BitcellError where its library does not load
 */
export function loadBinding(why: string, load = requireHere): () => BoundSession {
  const version = requireOnnxruntime(why, load);
  let loaded: unknown;
  try {
    loaded = load('onnxruntime-node/dist/binding.js');
    if (isBinding(loaded)) loaded.initOrt();
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new BitcellError(
      `${why}, and onnxruntime-node does not load (${reason}): add it anew with ${INSTALL_ONNXRUNTIME}`,
      undefined,
      { cause: error },
    );
  }
  if (!isBinding(loaded)) {
    throw new InputError(
      `${why}, and the onnxruntime-node ${version} that is installed does not have the sessions of ${VERSION}: add it anew with ${INSTALL_ONNXRUNTIME}`,
    );
  }
  const { InferenceSession } = loaded.binding;
  return () => new InferenceSession();
}

function isBinding(loaded: unknown): loaded is Binding {
  const { binding, initOrt } = Object(loaded) as Partial<Record<keyof Binding, unknown>>;
  const { InferenceSession } = Object(binding) as { InferenceSession?: unknown };
  if (typeof initOrt !== 'function' || typeof InferenceSession !== 'function') return false;
  const { loadModel, run } = InferenceSession.prototype as Partial<
    Record<keyof BoundSession, unknown>
  >;
  return typeof loadModel === 'function' && typeof run === 'function';
}
