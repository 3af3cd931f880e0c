/**
 * Time of the remedies that know the faulty cells: of each struck memory word (choose, store, deliver), of each bank
 * that spare lines repair, and of a layer whose channels are reordered.
 * After `npm run build`: node bench/repair.mjs [--rate 1e-2] [--quick]
 * Prints JSON: nanoseconds a word, milliseconds a bank and a layer, over several rounds; `handed over` is a word copied
 * with its faults to where a remedy finds them, which is in all the others. `--quick` takes few words and banks.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { uniformFaultMap } from 'bitcell/fault';
import {
  cheapestAssignment,
  chooseInversion,
  chooseRotation,
  invertGroups,
  repairBank,
  rotateLeft,
  rotateRight,
  storeClosest,
} from 'bitcell/mitigation';
import { xorshift } from 'bitcell/testing';
import { measurement, printJson } from './measure.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1e-2' },
    quick: { type: 'boolean', default: false },
  },
});
const RATE = Number(values.rate);
if (!(RATE > 0 && RATE < 1))
  throw new Error(`--rate ${values.rate}: expected a share of the cells`);
const { words, rounds, banks, channels } = values.quick
  ? { words: 100, rounds: 3, banks: 3, channels: 16 }
  : { words: 20_000, rounds: 41, banks: 200, channels: 512 };

const random = xorshift(1);
const word32 = () => Math.floor(random() * 2 ** 32);

/**
 * Words with at least one faulty cell, one after another.
 * @param {{ lanes: number, weightBits: 8 | 32, faults: 'stuck-at' | 'flip' }} kind
 */
function struckWords({ lanes, weightBits, faults }) {
  const length = words * lanes;
  const data = Uint32Array.from({ length }, word32);
  // float32 weights of a usual size: ±2^-7 to 2^-6.
  if (weightBits === 32)
    for (const at of data.keys()) data[at] = (data[at] & 0x807fffff) | 0x3c000000;
  const and = new Uint32Array(length).fill(0xffffffff);
  const or = new Uint32Array(length);
  const xor = new Uint32Array(length);
  const bits = 32 * lanes;
  for (let word = 0; word < words; word++) {
    for (let struck = false; !struck; ) {
      for (let bit = 0; bit < bits; bit++) {
        if (random() >= RATE) continue;
        struck = true;
        const lane = word * lanes + (bit >> 5);
        const mask = 1 << (bit & 31);
        if (faults === 'flip') xor[lane] |= mask;
        else if (random() < 0.5) and[lane] &= ~mask;
        else or[lane] |= mask;
      }
    }
  }
  return { data, and, or, xor };
}

/**
 * @param {string} name
 * @param {() => number} round milliseconds of one
 * @param {number} samples
 */
function milliseconds(name, round, samples) {
  round();
  return measurement(name, 'ms', Array.from({ length: samples }, round));
}

/** @param {() => void} run */
function elapsed(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** @param {{ lanes: number, weightBits: 8 | 32, faults: 'stuck-at' | 'flip' }} kind */
function wordTimes(kind) {
  const { lanes, weightBits } = kind;
  const struck = struckWords(kind);
  const data = new Uint32Array(lanes);
  const stored = new Uint32Array(lanes);
  const flags = new Uint32Array(Math.ceil(lanes / (weightBits / 4)));
  const faults = {
    and: new Uint32Array(lanes),
    or: new Uint32Array(lanes),
    xor: new Uint32Array(lanes),
  };
  /** @param {'data' | 'position'} by */
  const rotate = (by) => () => {
    const rotation = chooseRotation(data, faults, weightBits, by);
    rotateLeft(data, stored, lanes, rotation);
    rotateRight(stored, stored, lanes, rotation);
  };
  /** @param {'weight' | 'word'} group */
  const invert = (group) => () => {
    chooseInversion(data, faults, weightBits, group, flags);
    invertGroups(data, stored, lanes, weightBits, group, flags);
    invertGroups(stored, stored, lanes, weightBits, group, flags);
  };
  const remedies = {
    'handed over': () => {},
    'rotate by data': rotate('data'),
    'rotate by position': rotate('position'),
    'invert weights': invert('weight'),
    'invert words': invert('word'),
    'closest value': () => storeClosest(data, faults, weightBits, stored),
  };
  return Object.entries(remedies).map(([name, remedy]) => {
    const round = () =>
      (1e6 / words) *
      elapsed(() => {
        for (let first = 0; first < words * lanes; first += lanes) {
          for (let lane = 0; lane < lanes; lane++) {
            data[lane] = struck.data[first + lane];
            faults.and[lane] = struck.and[first + lane];
            faults.or[lane] = struck.or[first + lane];
            faults.xor[lane] = struck.xor[first + lane];
          }
          remedy();
        }
      });
    for (let warmUp = 0; warmUp < 3; warmUp++) round();
    return measurement(name, 'ns', Array.from({ length: rounds }, round));
  });
}

const kinds = [64, 128].flatMap((wordBits) =>
  /** @type {const} */ ([8, 32]).flatMap((weightBits) =>
    /** @type {const} */ (['stuck-at', 'flip']).map((faults) => ({
      ...{ wordBits, weightBits, faults },
      times: wordTimes({ lanes: wordBits / 32, weightBits, faults }),
    })),
  ),
);

/** Banks of 1024 × 256 cells with 8 + 8 spare lines. @param {number} rate */
function bankTimes(rate) {
  const geometry = { banks: 1, rows: 1024, columns: 256 };
  let proved = 0;
  let uncovered = 0;
  const samples = Array.from({ length: banks }, (_, trial) => {
    const { cells } = uniformFaultMap({ geometry, rate, faults: 'flip', seed: 1, trial });
    const bank = {
      faultRows: Uint32Array.from(cells, (cell) => Math.floor(cell / geometry.columns)),
      faultColumns: Uint32Array.from(cells, (cell) => cell % geometry.columns),
      ...{ spareRows: 8, spareColumns: 8 },
    };
    return elapsed(() => {
      const repair = repairBank(bank);
      proved += Number(repair.provedOptimal);
      uncovered += repair.uncovered;
    });
  });
  const time = measurement('a bank', 'ms', samples);
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / banks;
  return {
    ...{ rate, median: time.median, mean, longest: Math.max(...samples) },
    ...{ proved: proved / banks, uncovered: uncovered / banks, time },
  };
}

const costs = Float64Array.from({ length: channels ** 2 }, word32);

printJson({
  ...{ rate: RATE, words, kinds },
  banks: [1e-5, 1e-4, 1e-3, 1e-2].map(bankTimes),
  reorder: {
    channels,
    time: milliseconds('a layer', () => elapsed(() => cheapestAssignment(costs, channels)), 3),
  },
});
