import fc from 'fast-check';
import { afterAll } from 'vitest';
import { removeFolders } from './folders.js';

/** In continuous integration every run draws the same cases; elsewhere each run draws its own. */
const CI_SEED = 20_261_122;

if (process.env.CI) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: CI_SEED });

afterAll(removeFolders);
