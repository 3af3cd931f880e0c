import { BitcellError } from '../../core/index.js';

type Onnxruntime = typeof import('onnxruntime-node');

/**
 * onnxruntime-node, loaded where it is first needed: it is an optional dependency, because its installation
 * script looks for GPU libraries on another host and then fails.
 *
 * @throws BitcellError saying how to get it, when it is not installed or its library does not load
 */
export async function loadOnnxruntime(): Promise<Onnxruntime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    const missing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    const problem = missing ? 'is not installed' : `does not load (${reason(error)})`;
    throw new BitcellError(
      `This needs onnxruntime, and the package onnxruntime-node ${problem}: add it with ` +
        'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30',
      undefined,
      { cause: error },
    );
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0] : String(error);
}
