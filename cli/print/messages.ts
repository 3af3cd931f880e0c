import { visibleMessage } from '../../core/index.js';

/** Tell the user something on stderr, besides the result; names in it may hold anything. */
export function tell(message: string): void {
  process.stderr.write(`bitcell: ${visibleMessage(message)}\n`);
}
