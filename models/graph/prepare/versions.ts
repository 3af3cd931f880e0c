import { ModelError } from '../../../core/index.js';
import type { OnnxModel } from '../../onnx/index.js';

/** The oldest version of the standard operators that is read: broadcasting means other things before it. */
const OLDEST_OPSET = 7;
/** The newest version of each domain that onnxruntime 1.30, with which results are compared, knows. */
const NEWEST_OPSETS: ReadonlyMap<string, number> = new Map([
  ['', 26],
  ['ai.onnx.ml', 5],
  ['com.microsoft', 1],
]);
/** The newest version of the file format itself that onnxruntime 1.30 reads. */
const NEWEST_IR_VERSION = 13;

/** The version of the standard operators, when all versions are those that are read. */
export function checkVersions(model: OnnxModel, source: string): number {
  if (model.irVersion > NEWEST_IR_VERSION) {
    throw new ModelError(
      `${source} has IR version ${model.irVersion}; Bitcell reads up to ${NEWEST_IR_VERSION}`,
    );
  }
  const opset = model.opsets.get('');
  if (opset === undefined) throw new ModelError(`${source} does not use ONNX's standard operators`);
  if (opset < OLDEST_OPSET) {
    throw new ModelError(
      `${source} uses operator set ${opset}; Bitcell reads ${OLDEST_OPSET} and later ones`,
    );
  }
  for (const [domain, newest] of NEWEST_OPSETS) {
    const version = model.opsets.get(domain) ?? 0;
    if (version <= newest) continue;
    const set = domain === '' ? 'operator set' : `operator set ${domain}`;
    throw new ModelError(
      `${source} uses ${set} ${version}; the newest one that Bitcell reads is ${newest}, so export the model for that`,
    );
  }
  return opset;
}
