import { excerpt } from '../../core/index.js';
import { textOf } from './lines.js';

/** Comments beyond these are of single faults, not of the map. */
const MOST_COMMENTS = 20;

/** What a file says besides its faults, in the order of the file. */
export interface Notes {
  /** Texts of comments, without their marks. */
  readonly comments?: readonly string[];
  /** Values of columns without a meaning of their own (die, voltage, march element, …), by their names. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

/** Collects the first comments of a file. */
export interface CommentCollector {
  add(bytes: Uint8Array, start: number, end: number): void;
  /** The comments; nothing when there is none. */
  notes(): Notes;
}

export function createCommentCollector(): CommentCollector {
  const comments: string[] = [];
  return {
    add(bytes, start, end) {
      if (comments.length === MOST_COMMENTS) return;
      const text = textOf(bytes, start, end).replace(/^[\s#%/]+/, '');
      if (text.trim() !== '') comments.push(excerpt(text.trim()));
    },
    notes: () => (comments.length === 0 ? {} : { comments }),
  };
}
