/** What any typed array has. */
export interface TypedArray {
  readonly length: number;
  subarray(begin: number, end: number): this;
}

/**
 * An array that is used again and again: the system takes far longer to give a process new pages than a pass over
 * them takes. The function gives its first `length` elements, whatever they hold; what it gave before is no longer
 * valid.
 */
export type Scratch<Values> = (length: number) => Values;

export function createScratch<Values extends TypedArray>(
  create: (length: number) => Values,
): Scratch<Values> {
  let values = create(0);
  return (length) => {
    // A little more than asked for: the next map has a few more faults.
    if (values.length < length) values = create(Math.ceil(length * 1.1));
    return values.subarray(0, length);
  };
}
