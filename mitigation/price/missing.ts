/** Why no opened source gives something; never a number in its place. */
export interface Missing {
  readonly notGiven: readonly string[];
}

export type OrMissing<T> = T | Missing;

export function isMissing(value: unknown): value is Missing {
  return typeof value === 'object' && value !== null && 'notGiven' in value;
}

/** All values, or every reason why some are missing, each once. */
export function allGiven<const Values extends readonly unknown[]>(
  values: Values,
): OrMissing<{ readonly [Index in keyof Values]: Exclude<Values[Index], Missing> }> {
  const reasons = values.filter(isMissing).flatMap(({ notGiven }) => notGiven);
  if (reasons.length > 0) return { notGiven: [...new Set(reasons)] };
  return values as { readonly [Index in keyof Values]: Exclude<Values[Index], Missing> };
}

/** What is made of a value that is given; what is missing stays so. */
export function ifGiven<T, U>(value: OrMissing<T>, make: (value: T) => OrMissing<U>): OrMissing<U> {
  return isMissing(value) ? value : make(value);
}
