import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../../core/index.js';
import {
  FAULT_PRESETS,
  type FaultModel,
  faultPreset,
  MODEL_FAULTS,
  type PresetPoint,
  parseFaultModel,
  presetPoint,
  rateAtVoltage,
  readFaultModel,
} from '../../../fault/index.js';
import { choice, decimalWhere, list, option, rate, voltage } from '../../input/options.js';
import type { StorageMemory } from './geometry-options.js';
import type { StorageFlags } from './memory-options.js';

/** How the cells of a created map fail. */
export interface FaultModelFlags {
  readonly rate?: number;
  readonly voltage?: number;
  readonly preset?: string;
  readonly faultModel?: string;
  readonly distribution: string;
  readonly faults: string;
  readonly stuckAt1Share?: number;
  readonly clustering?: number;
  readonly region?: string | { readonly rows: number; readonly columns: number };
  readonly clusterSize?: number;
  readonly spread?: number;
  readonly banks?: readonly number[];
  readonly bits?: readonly number[];
}

const DISTRIBUTIONS = ['uniform', 'rows', 'columns', 'banks', 'clusters'];

/** Flags that describe a model one by one; a preset or file stands in their place. */
const MODEL_FLAGS = [
  'distribution',
  'faults',
  'stuckAt1Share',
  'clustering',
  'region',
  'clusterSize',
  'spread',
  'banks',
  'bits',
];

function positive(text: string): number {
  return decimalWhere(text, (value) => value > 0, 'Expected a number above 0.');
}

function indices(text: string): number[] {
  return list(text).map((item) => {
    if (!/^\d+$/.test(item)) throw new InvalidArgumentError(`"${item}" is not a whole number.`);
    return Number(item);
  });
}

function region(text: string): FaultModelFlags['region'] {
  const block = /^(\d+)[x×](\d+)$/.exec(text);
  return block === null ? text : { rows: Number(block[1]), columns: Number(block[2]) };
}

/** Options that say how cells fail. */
export function addFaultModelOptions(command: Command): Command {
  const presets = FAULT_PRESETS.map(({ name }) => name);
  return command
    .addOption(option('--rate <rate>', 'share of the cells that are faulty').argParser(rate))
    .addOption(
      option('--voltage <volts>', 'supply voltage, with a model or preset that has its rates')
        .argParser(voltage)
        .conflicts('rate'),
    )
    .addOption(
      choice('--preset <name>', 'a measured memory', presets).conflicts([
        'faultModel',
        ...MODEL_FLAGS,
      ]),
    )
    .addOption(
      option('--fault-model <file>', 'fault model (YAML)').conflicts(['preset', ...MODEL_FLAGS]),
    )
    .addOption(
      choice('--distribution <places>', 'where faults lie', DISTRIBUTIONS).default('uniform'),
    )
    .addOption(choice('--faults <kind>', 'what faulty cells do', MODEL_FAULTS).default('flip'))
    .addOption(
      option('--stuck-at-1-share <share>', 'of stuck-at faults (default: 0.5)').argParser(rate),
    )
    .addOption(
      option('--clustering <alpha>', "clusters: Stapper's clustering parameter").argParser(
        positive,
      ),
    )
    .addOption(
      option(
        '--region <region>',
        'clusters: bank, row, column or ROWSxCOLUMNS (default: bank)',
      ).argParser(region),
    )
    .addOption(
      option('--cluster-size <n>', 'clusters: mean faults of one (default: 1)').argParser(positive),
    )
    .addOption(
      option(
        '--spread <cells>',
        'clusters: standard deviation around a centre (default: 1)',
      ).argParser(positive),
    )
    .addOption(option('--banks <list>', 'only these banks fail').argParser(indices))
    .addOption(
      option(
        '--bits <list>',
        'only these bits of a weight, or of what else the storage holds, fail',
      ).argParser(indices),
    );
}

/** The model of the single flags. */
function modelOfFlags(
  flags: FaultModelFlags & StorageFlags,
  { columnMux, valueBits: weightBits }: StorageMemory,
): FaultModel {
  const { distribution, faults, stuckAt1Share, clustering, clusterSize, spread } = flags;
  const beyond = flags.bits?.find((bit) => bit >= weightBits);
  if (beyond !== undefined) {
    const { storage = 'weights', format } = flags;
    throw new InputError(
      storage === 'weights'
        ? `--bits ${beyond}: ${format} weights have the bits 0 to ${weightBits - 1}; other bits of a memory word hold no weight`
        : `--bits ${beyond}: ${storage} with ${format} words have the bits 0 to ${weightBits - 1}`,
    );
  }
  const bits = flags.bits && { positions: flags.bits, weightBits, columnMux };
  const fields = {
    model: distribution,
    clustering,
    region: flags.region,
    clusterSize,
    spread,
    faults,
    stuckAt1Share,
    ...((flags.banks || bits) && {
      scope: { ...(flags.banks && { banks: flags.banks }), ...(bits && { bits }) },
    }),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return parseFaultModel(Object.fromEntries(given), `--distribution ${distribution}`);
}

/**
 * The model and fault rate that the options state.
 *
 * @throws InputError when they are incomplete or contradict each other.
 */
export function statedFaults(
  flags: FaultModelFlags & StorageFlags,
  memory: StorageMemory,
): PresetPoint {
  const { preset, voltage, faultModel } = flags;
  if (preset !== undefined) {
    return presetPoint(faultPreset(preset), { voltage, rate: flags.rate });
  }
  const model = faultModel === undefined ? modelOfFlags(flags, memory) : readFaultModel(faultModel);
  if (voltage !== undefined) {
    if (model.model !== 'voltage') {
      throw new InputError(
        `--voltage needs a fault model with rates for voltages, but this one is "${model.model}"; give --rate`,
      );
    }
    return { model, rate: rateAtVoltage(model.table, voltage) };
  }
  if (flags.rate === undefined) {
    throw new InputError(
      model.model === 'voltage' ? 'give --voltage or --rate' : 'give a fault rate with --rate',
    );
  }
  return { model, rate: flags.rate };
}
