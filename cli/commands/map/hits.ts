import { Command } from 'commander';
import { cellCount, readFaultMap, requireGeometry } from '../../../fault/index.js';
import {
  type Placement,
  storedWords,
  type WeightHit,
  type WeightPosition,
  weightHits,
  weightLocator,
} from '../../../sim/index.js';
import { addCommonOptions, type CommonOptions, option, wholeNumber } from '../../options.js';
import { printResult } from '../../output.js';
import { formatTable, grouped } from '../../table.js';
import { addMemoryOptions, type MemoryFlags, memoryOf } from './memory-options.js';

interface HitsFlags extends MemoryFlags, CommonOptions {
  readonly limit?: number;
}

/** Rows that a text table of hits has at most, unless the user says otherwise. */
const SHOWN_HITS = 20;

export function hitsCommand(): Command {
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
