import { ZOO } from '../../models/index.js';

/** The file of a `--model`, if it is not the name of a network of the zoo. */
export function modelFile(model: string): string | undefined {
  return (ZOO as readonly string[]).includes(model) ? undefined : model;
}
