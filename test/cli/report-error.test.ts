import { afterEach, expect, test, vi } from 'vitest';
import { reportError } from '../../cli/print/report-error.js';
import { MismatchError } from '../../core/index.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What `reportError` says on stderr, and the exit status. */
function report(error: unknown): { said: string; status: number } {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  return { status: reportError(error), said: said.join('') };
}

function systemError(code: string, syscall: string, message: string): Error {
  return Object.assign(new Error(message), { code, syscall });
}

test.each([
  [new MismatchError('layer conv1 differs'), 3, 'layer conv1 differs'],
  [
    new RangeError('Array buffer allocation failed'),
    1,
    'This needs more memory than there is (Array buffer allocation failed)',
  ],
  [
    systemError('ENOENT', 'uv_cwd', 'ENOENT: no such file or directory, uv_cwd'),
    2,
    'The working folder does not exist any more: change to another',
  ],
  [systemError('ENOSPC', 'write', 'ENOSPC: no space left'), 1, 'ENOSPC: no space left'],
  [
    new TypeError('x is not a function'),
    1,
    'unexpected error: TypeError: x is not a function; this is a fault of Bitcell: please report it with what BITCELL_STACK=1 prints',
  ],
  ['text', 1, /^bitcell: unexpected error: string: text; /],
])('%s ends with exit status %i and one sentence', (error, status, sentence) => {
  const found = report(error);
  expect(found.status).toBe(status);
  if (typeof sentence === 'string') expect(found.said).toBe(`bitcell: ${sentence}\n`);
  else expect(found.said).toMatch(sentence);
});

test('BITCELL_STACK=1 adds the stack of calls', () => {
  vi.stubEnv('BITCELL_STACK', '1');
  const error = new TypeError('x is not a function');
  expect(report(error).said.endsWith(`\n${error.stack}\n`)).toBe(true);
});
