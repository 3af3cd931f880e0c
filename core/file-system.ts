import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/** The system calls that change files. All files of Bitcell's own are written through them, so that a test can let each of them fail. */
export const fileSystem = {
  openSync,
  writeSync,
  fchownSync,
  fchmodSync,
  fsyncSync,
  closeSync,
  mkdirSync,
  renameSync,
  unlinkSync,
};
