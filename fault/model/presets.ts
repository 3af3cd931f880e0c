import { didYouMean, InputError } from '../../core/index.js';
import type { FaultModel } from './fault-model.js';
import { rateAtVoltage } from './voltage.js';

/** One published state of a chip, with the model of its faults. */
export interface PresetPoint {
  readonly rate: number;
  readonly model: FaultModel;
}

/** A measured memory. What is not in `published` is modelling, and `modelled` says which. */
export interface FaultPreset {
  readonly name: string;
  readonly source: string;
  /** Figures of the source that the preset uses or states. */
  readonly published: string;
  /** Assumptions of ours. */
  readonly modelled: string;
  /** One model whose rate is a function of the voltage, or the published states only. */
  readonly faults:
    | { readonly by: 'voltage'; readonly model: Extract<FaultModel, { model: 'voltage' }> }
    | { readonly by: 'rate'; readonly points: readonly PresetPoint[] };
}

const KC705_CELLS = 890 * 16 * 1024;
const KC705_FAULTS = [
  [0.59, 2],
  [0.58, 8],
  [0.57, 26],
  [0.56, 62],
  [0.55, 252],
  [0.54, 690],
  [0.53, 2274],
] as const;

/** Rate of the published faults at a voltage. */
function kc705Rate(voltage: (typeof KC705_FAULTS)[number][0]): number {
  const faults = KC705_FAULTS.find(([of]) => of === voltage)?.[1] ?? 0;
  return faults / KC705_CELLS;
}

const KC705_B: FaultPreset = {
  name: 'kc705-b',
  source:
    'Public data of an undervolting study of FPGA block RAM, 28 nm, board KC705-B (github.com/behzadsalami/FPGA-BRAMs-Undervoltig-Study): 890 block RAMs of 1024 rows × 16 columns',
  published:
    'faults at 0.59 to 0.53 V (2, 8, 26, 62, 252, 690, 2274), all 1-to-0; 98 to 100 % of the faults of a voltage remain at the next lower one; every fault has a partner 8 columns away; 99.5 % of the faults of a column lie in rows of one parity; at 0.53 V 72 % of the block RAMs are clean, the worst has 122 faults and the worst column 61',
  modelled:
    'all faults remain at lower voltages; weak lines of 512 pairs (a pair of columns, rows of one parity) with gamma-distributed densities of shape 0.0035, and of shape 0.1 for 5 % of the faults at 0.54 V and 15 % at 0.53 V, chosen by hand from 13 settings to resemble the data of this one chip: a fit, not a validation; rows uniform in a line and all columns alike, though most weak lines fail in one half of their rows and columns differ in the data; log-linear rates between the voltages',
  faults: {
    by: 'voltage',
    model: {
      model: 'voltage',
      table: KC705_FAULTS.map(([voltage]) => ({ voltage, rate: kc705Rate(voltage) })),
      places: {
        model: 'weak-lines',
        clustering: 0.0035,
        background: {
          clustering: 0.1,
          shares: [
            { rate: kc705Rate(0.55), share: 0 },
            { rate: kc705Rate(0.54), share: 0.05 },
            { rate: kc705Rate(0.53), share: 0.15 },
          ],
        },
        rows: 1024,
        rowStride: 2,
        pairDistance: 8,
      },
      faults: 'stuck-at-0',
    },
  },
};

/** Percent of the cells that fail in all, from 0 to 1, and from 1 to 0. */
type ChipState = readonly [total: number, zeroToOne: number, oneToZero: number];

function stutzChip(
  chip: number,
  size: string,
  states: readonly ChipState[],
  note: string,
): FaultPreset {
  return {
    name: `stutz-chip-${chip}`,
    source: `Stutz et al., MLSys 2021, profiled chip ${chip} (${size})`,
    published: `${states.map(([total, up, down]) => `rate ${total} %: ${up} % 0-to-1, ${down} % 1-to-0`).join('; ')}${note}`,
    modelled:
      'places uniform over all cells; 0-to-1 faults are stuck-at-1 and 1-to-0 faults stuck-at-0, drawn for each cell with the published split; no state but the published ones, and the states of a chip are not nested',
    faults: {
      by: 'rate',
      points: states.map(([total, up, down]) => ({
        // A decimal shift of the text, so that 2.744 % is the float64 that a user's 0.02744 is.
        rate: Number(`${total}e-2`),
        model: { model: 'uniform', faults: 'stuck-at', stuckAt1Share: up / (up + down) },
      })),
    },
  };
}

const ALIGNED = '; faults are aligned along columns';

const IBM_14NM: FaultPreset = {
  name: 'ibm-14nm',
  source:
    'Code of NeuralFuse: maps of an IBM 14 nm SRAM, 8192 × 128 cells, one 0/1 matrix per polarity',
  published: 'rates 1.21e-2, 3.98e-3, 1.21e-3, 1.55e-4, 1.26e-4, 4.07e-5, 1.31e-5',
  modelled: 'places uniform over all cells; stuck-at-0 and stuck-at-1 equally likely',
  faults: {
    by: 'rate',
    points: [1.21e-2, 3.98e-3, 1.21e-3, 1.55e-4, 1.26e-4, 4.07e-5, 1.31e-5].map((rate) => ({
      rate,
      model: { model: 'uniform', faults: 'stuck-at' },
    })),
  },
};

/** Memories with published figures. */
export const FAULT_PRESETS: readonly FaultPreset[] = [
  KC705_B,
  stutzChip(
    1,
    '2048 × 128',
    [
      [2.744, 1.27, 1.47],
      [0.866, 0.38, 0.49],
    ],
    '',
  ),
  stutzChip(
    2,
    '8192 × 128',
    [
      [4.707, 3.443, 1.091],
      [1.01, 0.82, 0.19],
      [0.136, 0.115, 0.021],
    ],
    ALIGNED,
  ),
  stutzChip(
    3,
    '8192 × 128',
    [
      [2.297, 1.81, 0.48],
      [0.597, 0.496, 0.0995],
    ],
    ALIGNED,
  ),
  IBM_14NM,
];

/** @throws InputError when there is no preset of that name. */
export function faultPreset(name: string): FaultPreset {
  const preset = FAULT_PRESETS.find((candidate) => candidate.name === name);
  if (preset === undefined) {
    const names = FAULT_PRESETS.map((candidate) => candidate.name);
    throw new InputError(
      `Unknown fault preset "${name}"${didYouMean(name, names)}: give one of ${names.join(', ')}.`,
    );
  }
  return preset;
}

/**
 * The model of a preset in one state.
 *
 * @param state A voltage in volts, or a published rate.
 * @throws InputError when the preset has no such state: a voltage outside its table, an unpublished rate.
 */
export function presetPoint(
  { name, faults }: FaultPreset,
  state: { readonly voltage?: number | undefined; readonly rate?: number | undefined },
): PresetPoint {
  if (faults.by === 'voltage') {
    const { model } = faults;
    if (state.voltage === undefined || state.rate !== undefined) {
      const [highest, lowest] = [model.table[0], model.table[model.table.length - 1]];
      throw new InputError(
        `The preset ${name} has a rate for each voltage: give a voltage from ${lowest.voltage} to ${highest.voltage} V instead of a rate.`,
      );
    }
    return { model, rate: rateAtVoltage(model.table, state.voltage) };
  }
  const point = faults.points.find(({ rate }) => rate === state.rate);
  if (point === undefined || state.voltage !== undefined) {
    const rates = faults.points.map(({ rate }) => rate).join(', ');
    throw new InputError(
      `The preset ${name} has published figures for the rates ${rates} only: give one of them.`,
    );
  }
  return point;
}
