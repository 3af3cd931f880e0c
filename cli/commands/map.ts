import { Command } from 'commander';
import { loadNetwork } from '../../campaign/index.js';
import {
  cellCount,
  FAULT_KINDS,
  formatGeometry,
  readFaultMap,
  requireGeometry,
  summarizeFaultMap,
  type UniformFaults,
  uniformFaultMap,
  writeFaultMap,
} from '../../fault/index.js';
import type { WordFormat } from '../../models/index.js';
import {
  DEFAULT_ACCELERATOR,
  loadAccelerator,
  type Placement,
  placeNetwork,
  storedWords,
  type WeightHit,
  type WeightPosition,
  weightHits,
  weightLocator,
} from '../../sim/index.js';
import {
  addCommonOptions,
  type CommonOptions,
  choice,
  option,
  rate,
  seedOption,
  wholeNumber,
} from '../options.js';
import { printResult } from '../output.js';
import { formatTable, grouped } from '../table.js';

/** The weight memory that a map is for: that of an accelerator that holds a network. */
interface MemoryFlags {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  readonly placement: Placement['kind'];
}

interface CreateFlags extends MemoryFlags, CommonOptions {
  readonly output: string;
  readonly rate: number;
  readonly faults: UniformFaults;
  readonly seed: number;
  readonly map: number;
}

interface HitsFlags extends MemoryFlags, CommonOptions {
  readonly limit?: number;
}

/** Rows that a text table of hits has at most, unless the user says otherwise. */
const SHOWN_HITS = 20;

export function mapCommand(): Command {
  const command = new Command('map').description('Fault maps: create, show, list what they reach');
  for (const child of [createCommand(), showCommand(), hitsCommand()]) command.addCommand(child);
  return command;
}

function createCommand(): Command {
  const command = new Command('create')
    .description('Draw a uniform fault map for the weight memory of a network')
    .addOption(option('--output <file>', 'fault map to write').makeOptionMandatory())
    .addOption(
      option('--rate <rate>', 'share of the cells that are faulty')
        .makeOptionMandatory()
        .argParser(rate),
    )
    .addOption(
      choice('--faults <kind>', 'what faulty cells do', [...FAULT_KINDS, 'stuck-at']).default(
        'flip',
      ),
    )
    .addOption(seedOption())
    .addOption(
      option('--map <n>', 'number of the map: a study with this seed draws 0, 1, …')
        .default(0)
        .argParser(wholeNumber(0)),
    )
    .action(create);
  return addCommonOptions(addMemoryOptions(command));
}

function create(flags: CreateFlags): void {
  const { output, rate: faultRate, faults, seed, map: trial } = flags;
  const { placement } = memoryOf(flags);
  const map = uniformFaultMap({
    geometry: placement.geometry,
    rate: faultRate,
    faults,
    seed,
    trial,
  });
  writeFaultMap(output, map);
  printResult(
    flags.json,
    {
      output,
      geometry: map.geometry,
      cells: cellCount(map.geometry),
      faults: map.cells.length,
      seed,
      map: trial,
    },
    () => `${output}: ${grouped(map.cells.length)} faults in ${formatGeometry(map.geometry)}`,
  );
}

function showCommand(): Command {
  const command = new Command('show')
    .description('Totals of a fault map')
    .argument('<file>', 'fault map')
    .action(show);
  return addCommonOptions(command);
}

function show(file: string, { json }: CommonOptions): void {
  const map = readFaultMap(file);
  const summary = summarizeFaultMap(map);
  printResult(json, { file, provenance: map.provenance, ...summary }, () =>
    [
      `${file}: ${grouped(summary.faults)} faults in ${grouped(summary.cells)} cells (rate ${summary.rate.toExponential(2)})`,
      formatGeometry(map.geometry),
      ...Object.entries(summary.kinds).map(([kind, count]) => `${kind}: ${grouped(count)}`),
      ...(['banks', 'rows', 'columns'] as const).map(
        (lines) =>
          `${lines} with faults: ${grouped(summary[lines].faulty)}, at most ${grouped(summary[lines].worst?.faults ?? 0)} in one`,
      ),
    ].join('\n'),
  );
}

function hitsCommand(): Command {
  const command = new Command('hits')
    .description('The weights that the faulty cells of a map reach')
    .argument('<file>', 'fault map')
    .addOption(
      option('--limit <n>', `list so many (default: ${SHOWN_HITS}; with --json all)`).argParser(
        wholeNumber(0),
      ),
    )
    .action(hits);
  return addCommonOptions(addMemoryOptions(command));
}

function hits(file: string, flags: HitsFlags): void {
  const map = readFaultMap(file);
  const { network, placement } = memoryOf(flags);
  requireGeometry(map, placement.geometry, file);
  const locate = weightLocator(network);
  const limit = flags.limit ?? (flags.json ? Number.POSITIVE_INFINITY : SHOWN_HITS);
  const listed: (WeightHit & WeightPosition)[] = [];
  let total = 0;
  let effective = 0;
  for (const hit of weightHits(map, placement, storedWords(network))) {
    if (total < limit) listed.push({ ...hit, ...locate(hit.weight) });
    total += 1;
    if (hit.effective) effective += 1;
  }
  const result = {
    file,
    cells: cellCount(map.geometry),
    faults: map.cells.length,
    total,
    effective,
    hits: listed,
  };
  printResult(flags.json, result, () => {
    const rows = listed.map((hit) => [
      String(hit.bank),
      String(hit.row),
      String(hit.column),
      hit.kind,
      hit.layer,
      `${hit.outputChannel},${hit.inputChannel},${hit.ky},${hit.kx}`,
      String(hit.bit),
      wordText(hit.stored, placement),
      wordText(hit.faulty, placement),
      hit.effective ? 'yes' : 'no',
    ]);
    const head = ['bank', 'row', 'column', 'kind', 'layer', 'out,in,ky,kx', 'bit'];
    return [
      formatTable([...head, 'stored', 'faulty', 'effective'], rows),
      '',
      `${grouped(map.cells.length)} faulty cells reach ${grouped(total)} weights and change ${grouped(effective)} (listed: ${grouped(listed.length)}).`,
    ].join('\n');
  });
}

function wordText(word: number, { weightBits }: Placement): string {
  return `0x${word.toString(16).padStart(weightBits / 4, '0')}`;
}

function addMemoryOptions(command: Command): Command {
  return command
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default('int8'))
    .addOption(
      option('--accelerator <accelerator>', 'a preset or a file').default(DEFAULT_ACCELERATOR),
    )
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        'resident',
      ),
    );
}

function memoryOf({ model, format, accelerator, placement }: MemoryFlags) {
  const network = loadNetwork(model, format);
  return { network, placement: placeNetwork(network, loadAccelerator(accelerator), placement) };
}
