/**
 * Speed of studies, what is compared taking turns. After `npm run build`:
 *
 *   node bench/studies.mjs single [--model vgg16] [--images 100] [--trials 200]
 *     trials a second of a campaign of single faults (int8, random cell), and times the plain path; one thread
 *   node bench/studies.mjs precision [--model vgg16] [--precision 2] [--int8-rates …] [--float32-rates …]
 *     `bitcell run` of seven rates with none and clip to ±precision: seconds and image runs of both word formats
 *   node bench/studies.mjs onnxruntime [--model vgg16] [--format int8] [--precision 2] [--maps 1]
 *       [--int8-rates …] [--float32-rates …] [--mitigations none,clip]
 *     the study of `precision` in one format against plain evaluation with onnxruntime: at equal interval, and with the
 *     same maps and images
 *   node bench/studies.mjs prefixes [--model vgg16] [--format float32] [--rates …] [--maps 8] [--images 20]
 *     multiply-accumulates that two mitigations of a map have in common
 *
 * `--threads N` (default 2) are those of both sides. Prints JSON.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

/** @import { Mitigation } from '../dist/mitigation/index.js' */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'vgg16' },
    format: { type: 'string' },
    images: { type: 'string' },
    trials: { type: 'string', default: '200' },
    rates: { type: 'string', default: '1e-8,1e-7,1e-6,1e-5' },
    'int8-rates': { type: 'string', default: '1e-4,3e-4,1e-3,3e-3,1e-2,2e-2,3e-2' },
    'float32-rates': { type: 'string', default: '1e-8,3e-8,1e-7,3e-7,1e-6,3e-6,1e-5' },
    mitigations: { type: 'string', default: 'none,clip' },
    precision: { type: 'string', default: '2' },
    maps: { type: 'string' },
    threads: { type: 'string', default: '2' },
  },
});
const [what = 'single'] = positionals;
const { model } = values;
const precision = Number(values.precision);
const threads = Number(values.threads);
const format = values.format === 'float32' ? 'float32' : 'int8';

const before = loadavg()[0];
const result = await measure();
const machine = { node: process.version, processor: cpus()[0].model };
const load = { before, after: loadavg()[0] };
console.log(JSON.stringify({ what, model, ...result, ...machine, load }, null, 2));

async function measure() {
  switch (what) {
    case 'single': {
      const { singleFaults } = await import('./studies/single.mjs');
      return singleFaults(model, Number(values.images ?? 100), Number(values.trials));
    }
    case 'precision': {
      const { precisionStudies } = await import('./studies/precision.mjs');
      const rates = { int8: values['int8-rates'], float32: values['float32-rates'] };
      return precisionStudies(model, rates, precision, threads);
    }
    case 'onnxruntime': {
      const { againstOnnxruntime } = await import('./studies/onnxruntime.mjs');
      const rates = values[`${format}-rates`].split(',').map(Number);
      const mitigations = /** @type {Mitigation[]} */ (values.mitigations.split(','));
      const maps = Number(values.maps ?? 1);
      return againstOnnxruntime({ model, format, rates, mitigations, precision, maps, threads });
    }
    case 'prefixes': {
      const { commonPrefixes } = await import('./studies/prefixes.mjs');
      const rates = values.rates.split(',').map(Number);
      const [maps, images] = [Number(values.maps ?? 8), Number(values.images ?? 20)];
      return commonPrefixes({ model, format: values.format ?? 'float32', rates, maps, images });
    }
    default:
      throw new Error(`unknown benchmark ${what}`);
  }
}
