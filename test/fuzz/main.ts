import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { showProgress } from '../../cli/print/progress.js';
import { EXIT, writeFileAtomic } from '../../core/index.js';
import { type FuzzCounts, fuzz } from './fuzz.js';
import { FEATURES, type Form } from './support.js';

/** How many of the graphs each form gets; float32, which is compared with a tolerance, is secondary. */
const SHARES: Readonly<Record<Form, number>> = { qdq: 9, qoperator: 9, float32: 2 };

const USAGE = `usage: npm run fuzz:ort -- [--cases N] [--seed S] [--form qdq|qoperator|float32] [--path P] [--out FOLDER]
Compares random networks with onnxruntime, bit for bit (float32: within a tolerance).
--path repeats the case of an earlier failure; --out is where a failing network is saved.
`;

interface Run {
  readonly cases: number;
  readonly seed: number;
  readonly forms: readonly Form[];
  readonly path: string | undefined;
  readonly out: string;
}

function parse(): Run | undefined {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      form: { type: 'string' },
      path: { type: 'string' },
      out: { type: 'string', default: '.' },
    },
  });
  const [cases, seed] = [values.cases, values.seed].map(Number);
  const all = Object.keys(FEATURES) as Form[];
  const forms = all.filter((form) => FEATURES[form].size > 0 && (values.form ?? form) === form);
  const isWhole = [cases, seed].every(Number.isSafeInteger) && cases > 0;
  if (!isWhole || forms.length === 0 || (values.path && forms.length > 1)) return undefined;
  return { cases, seed, forms, path: values.path, out: values.out };
}

async function main(): Promise<number> {
  let options: Run | undefined;
  try {
    options = parse();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  }
  if (!options) {
    process.stderr.write(USAGE);
    return EXIT.input;
  }
  const { cases, seed, forms, path, out } = options;
  const shares = forms.reduce((sum, form) => sum + SHARES[form], 0);
  const counts: Partial<Record<Form, FuzzCounts>> = {};
  for (const form of forms) {
    const progress = showProgress(`${form} graphs`, false);
    const share = path === undefined ? Math.ceil((cases * SHARES[form]) / shares) : 1;
    const { counts: found, failure } = await fuzz({
      form,
      cases: share,
      seed,
      path,
      onCase: (done) => progress.listener(done, share),
    });
    progress.stop();
    counts[form] = found;
    if (failure) {
      const file = join(out, `fuzz-${form}-${failure.seed}.onnx`);
      writeFileAtomic(file, failure.model);
      process.stderr.write(
        `${failure.message}\nrepeat with --form ${form} --seed ${failure.seed} --path ${failure.path}; the network is in ${file}\n`,
      );
      process.stdout.write(`${JSON.stringify({ cases, seed, counts, failure: failure.recipe })}\n`);
      return EXIT.mismatch;
    }
  }
  process.stdout.write(`${JSON.stringify({ cases, seed, counts })}\n`);
  return EXIT.ok;
}

process.exitCode = await main();
