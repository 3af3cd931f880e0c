import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeOnnx } from '../../models/index.js';
import { storedContent } from '../campaign/stored-content.js';
import { node, plain, reals } from '../models/plain-network.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model, thresholds } = writeTinyNetwork(folder);
const network = ['--model', model, '--format', 'int8', '--thresholds', thresholds];
const size = ['--maps', '4', '--images', '5', '--threads', '1'];
const run = ['run', ...network, '--rates', '1e-3', '--mitigations', 'none', ...size];
const sweep = ['sweep', ...network, '--rates', '0.05', '--points', '2', ...size];

/** An environment in which worker threads end before the answer to a task after a number of them, 0: at once. */
function mortal(tasks: number): { readonly env: Readonly<Record<string, string>> } {
  const file = join(folder, `mortal-${tasks}.mjs`);
  writeFileSync(
    file,
    `import { isMainThread, MessagePort } from 'node:worker_threads';
    if (!isMainThread) {
      if (${tasks} === 0) process.exit(9);
      // The first message says that the thread is ready.
      let sent = -1;
      const { postMessage } = MessagePort.prototype;
      MessagePort.prototype.postMessage = function (...message) {
        sent += 1;
        if (sent > ${tasks}) process.exit(9);
        return postMessage.apply(this, message);
      };
    }\n`,
  );
  return { env: { NODE_OPTIONS: `--import ${file}` } };
}

const RESTARTED = '\nA worker thread ended with exit code 9; a fresh one does its work once more\n';

test('a trial whose thread ends runs once more', async () => {
  const [whole, shaken] = [join(newFolder(), 'whole'), join(newFolder(), 'shaken')];
  const ended = await bitcell([...run, '--quiet', '--out', shaken], mortal(3));
  expect({ ...ended, stdout: '' }).toEqual({ status: 0, stdout: '', stderr: RESTARTED });
  await bitcellJson([...run, '--out', whole]);
  expect(await storedContent(shaken)).toEqual(await storedContent(whole));
});

test('run stops when that thread ends, too; --resume continues', async () => {
  const out = join(newFolder(), 'results');
  const options = `--model ${model} --format int8 --rates 0.001 --mitigations none --maps 4 --images 5 --thresholds ${thresholds}`;
  expect(await bitcell([...run, '--quiet', '--out', out], mortal(0))).toEqual({
    status: 1,
    stdout: '',
    stderr: `${RESTARTED}bitcell: A worker thread ended with exit code 9, and so did a fresh one, at condition 0, map 0, of ${model} with int8 words; "bitcell run ${options} --only 0:0" runs that trial alone; what was saved is kept: continue with --out ${out} --resume\n`,
  });
  const { points } = await bitcellJson([...run, '--out', out, '--resume']);
  expect(points).toMatchObject([{ maps: 4 }]);
});

test('so does a search', async () => {
  const out = join(newFolder(), 'search');
  expect(await bitcell([...sweep, '--quiet', '--out', out], mortal(0))).toEqual({
    status: 1,
    stdout: '',
    stderr: `${RESTARTED}bitcell: A worker thread ended with exit code 9, and so did a fresh one; what was saved is kept: continue with --out ${out} --resume\n`,
  });
  const [shaken, undisturbed] = await Promise.all([
    bitcell([...sweep, '--out', out, '--resume', '--json'], mortal(3)),
    bitcellJson(sweep),
  ]);
  expect(JSON.parse(shaken.stdout).layers).toEqual(undisturbed.layers);
  expect(shaken.stderr).toContain(RESTARTED);
});

test('wrong input that a thread finds ends as wrong input, with the name of the network', async () => {
  const file = join(folder, 'unheard.onnx');
  // No thread's onnxruntime has the operator, which only it would compute.
  const graph = {
    name: 'unheard',
    nodes: [
      node('Flatten', ['input'], 'flat'),
      node('Gemm', ['flat', 'fc.weight'], 'sums'),
      node('Unheard', ['sums'], 'logits'),
    ],
    initializers: [reals('fc.weight', 3072, 10)],
    inputs: [{ name: 'input', elementType: 'float32', dims: ['batch', 3, 32, 32] }],
    outputs: [{ name: 'logits', elementType: 'float32', dims: ['batch', 10] }],
  } as const;
  writeFileSync(file, encodeOnnx({ ...plain, graph }));
  const args = ['--format', 'float32', '--rates', '1e-3', '--mitigations', 'none', ...size];
  expect(await refusal(['run', '--model', file, ...args, '--quiet'])).toContain('unheard.onnx');
});
