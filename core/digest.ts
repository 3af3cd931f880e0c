import { createHash } from 'node:crypto';

/** SHA-256 (FIPS 180-4) of bytes, or of a string as UTF-8, in lower-case hexadecimal. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
