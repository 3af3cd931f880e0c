/**
 * Speed of studies, what is compared taking turns. After `npm run build`:
 *
 *   node bench/studies.mjs single [--model vgg16] [--images 100] [--trials 200]
 *     trials a second of a campaign of single faults (int8, random cell), and times the plain path; one thread
 *   node bench/studies.mjs precision [--model vgg16] [--format int8] [--precision 2] [--int8-rates …] [--float32-rates …]
 *     `bitcell run` of seven rates with none and clip to ±precision: seconds and image runs of both word formats, or one
 *   node bench/studies.mjs onnxruntime [--model vgg16] [--format int8] [--precision 2] [--maps 1]
 *       [--int8-rates …] [--float32-rates …] [--mitigations none,clip]
 *     the study of `precision` in one format against plain evaluation with onnxruntime: at equal interval, and with the
 *     same maps and images
 *   node bench/studies.mjs prefixes [--model vgg16] [--format float32] [--rates …] [--maps 8] [--images 20]
 *     multiply-accumulates that two mitigations of a map have in common
 *
 * `--threads N` (default 2) are those of both sides. `--quick` takes AlexNet, few trials and images, and wide intervals.
 * Prints JSON.
 */
import { parseArgs } from 'node:util';
import { machine, printJson } from './measure.mjs';

/** @import { WordFormat } from 'bitcell/models' */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    format: { type: 'string' },
    images: { type: 'string' },
    trials: { type: 'string' },
    rates: { type: 'string' },
    'int8-rates': { type: 'string' },
    'float32-rates': { type: 'string' },
    mitigations: { type: 'string', default: 'none,clip' },
    precision: { type: 'string' },
    maps: { type: 'string' },
    threads: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
  },
});
const [what = 'single'] = positionals;
const sizes = {
  ...(values.quick
    ? {
        ...{ trials: '2', rates: '1e-6', 'int8-rates': '1e-6', 'float32-rates': '1e-6' },
        ...{ model: 'alexnet', precision: '45', maps: '1', images: '2' },
      }
    : {
        ...{ model: 'vgg16', trials: '200', rates: '1e-8,1e-7,1e-6,1e-5', precision: '2' },
        'int8-rates': '1e-4,3e-4,1e-3,3e-3,1e-2,2e-2,3e-2',
        'float32-rates': '1e-8,3e-8,1e-7,3e-7,1e-6,3e-6,1e-5',
      }),
  ...values,
};
const { model } = sizes;
const precision = Number(sizes.precision);
const threads = Number(values.threads);
/** @type {WordFormat} */
const format = values.format === 'float32' ? 'float32' : 'int8';

/** @type {readonly WordFormat[]} */
const WORD_FORMATS = ['int8', 'float32'];

const before = machine();
const result = await measure();
printJson({ what, model, ...result, before, after: machine() });

async function measure() {
  switch (what) {
    case 'single': {
      const { singleFaults } = await import('./studies/single.mjs');
      return singleFaults(
        model,
        Number(sizes.images ?? 100),
        Number(sizes.trials),
        values.quick ? 1 : 5,
      );
    }
    case 'precision': {
      const { precisionStudies } = await import('./studies/precision.mjs');
      const rates = { int8: sizes['int8-rates'], float32: sizes['float32-rates'] };
      const formats = values.format ? [format] : WORD_FORMATS;
      return precisionStudies({ model, formats, rates, precision, threads });
    }
    case 'onnxruntime': {
      const { againstOnnxruntime } = await import('./studies/onnxruntime.mjs');
      const rates = sizes[`${format}-rates`].split(',').map(Number);
      const mitigations = values.mitigations.split(',');
      const maps = Number(sizes.maps ?? 1);
      const most = values.quick ? { images: 20, shortMaps: 1 } : { images: Infinity, shortMaps: 5 };
      return againstOnnxruntime({
        ...{ model, format, rates, mitigations, precision, maps, threads },
        ...most,
      });
    }
    case 'prefixes': {
      const { commonPrefixes } = await import('./studies/prefixes.mjs');
      const rates = sizes.rates.split(',').map(Number);
      const [maps, images] = [Number(sizes.maps ?? 8), Number(sizes.images ?? 20)];
      const words = values.format === undefined ? 'float32' : format;
      return commonPrefixes({ model, format: words, rates, maps, images });
    }
    default:
      throw new Error(`unknown benchmark ${what}`);
  }
}
