import { z } from 'zod';
import { didYouMean } from '../../core/index.js';
import { STORAGES, type StorageName } from '../../sim/index.js';

/** Storages that are broken at once, as a study names them: in the order of STORAGES, joined by `+`. */
export const storagesSchema = z.string().transform((text, context): string => {
  const names = text.split('+').map((name) => name.trim());
  const unknown = names.find((name) => !STORAGES.some((storage) => storage === name));
  const problem =
    unknown !== undefined
      ? `expected ${STORAGES.join(', ')}, or several with + between them${didYouMean(unknown, STORAGES)}`
      : new Set(names).size < names.length
        ? 'expected each storage once'
        : undefined;
  if (problem === undefined) return STORAGES.filter((storage) => names.includes(storage)).join('+');
  context.addIssue({ code: 'custom', message: problem, input: text });
  return z.NEVER;
});

/** The storages of a name that `storagesSchema` gave. */
export function storagesOf(label: string): StorageName[] {
  return STORAGES.filter((storage) => label.split('+').includes(storage));
}

/** Whether a study strikes weights in their memory, alone or with others. */
export function strikesWeights(labels: readonly string[]): boolean {
  return labels.some((label) => storagesOf(label).includes('weights'));
}

/** The storages of a study that says nothing of them. */
export const WEIGHTS_ALONE = 'weights';
