import { BitcellError, codeOf, fileError } from './errors.js';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a part of the path is a file, not a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ELOOP: 'too many symbolic links follow one another',
  ENAMETOOLONG: 'the name is too long',
  ENXIO: 'it is a socket or a device that is not there',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would be larger than files may be there',
  EIO: 'the device reports an input/output error',
  EPIPE: 'nobody reads it any more',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
};

/** What went wrong with a file, in words; the system's own message where it is not a common case. */
export function fileProblem(error: unknown): string {
  const problem = PROBLEMS[String(codeOf(error))];
  return problem ?? (error instanceof Error ? error.message : String(error));
}

/**
 * The error about a file that could not be written: an InputError where the path is wrong, another BitcellError
 * (exit status 1) where the device is full or fails. An error of Bitcell's own stays as it is.
 */
export function writeError(error: unknown, path: string): BitcellError {
  if (error instanceof BitcellError) return error;
  return fileError(`Cannot write ${path}: ${fileProblem(error)}.`, error);
}
