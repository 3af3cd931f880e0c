import { Command } from 'commander';
import {
  InputError,
  requireSafeOutputs,
  visibleLines,
  writePartsAtomic,
} from '../../../../core/index.js';
import {
  cellCount,
  type FaultMap,
  faultMapFiles,
  formatGeometry,
  importFaultMap,
  requireGeometry,
  requireStorage,
} from '../../../../fault/index.js';
import { type Mitigation, memoryPartsOf, NO_MITIGATION } from '../../../../mitigation/index.js';
import { weightedLayers } from '../../../../models/index.js';
import { countStorageCells, type PlacedStorage, type Placement } from '../../../../sim/index.js';
import { modelFile } from '../../../input/input-files.js';
import {
  addCommonOptions,
  type CommonOptions,
  mitigationOption,
  option,
  wholeNumber,
} from '../../../input/options.js';
import { printParts, resultParts } from '../../../print/output.js';
import { namesAccelerator } from '../geometry-options.js';
import { addStorageOptions, type StorageFlags, storageOf } from '../memory-options.js';
import { arrayListing } from './array-listing.js';
import type { HitListing } from './hit-listing.js';
import { valueListing } from './value-listing.js';
import { weightListing } from './weight-listing.js';

interface HitsFlags extends StorageFlags, CommonOptions {
  readonly limit?: number;
  readonly csv?: string;
  readonly mitigation?: Mitigation;
}

/** Rows that a text table of hits has at most, unless the user says otherwise. */
const SHOWN_HITS = 20;

const STDOUT = '-';

export function hitsCommand(): Command {
  const command = new Command('hits')
    .description('The weights, values, products or sums that the faulty cells of a map reach')
    .argument('<file>', 'fault map; a pair of 0/1 matrices: STUCK0.csv,STUCK1.csv')
    .addOption(
      option(
        '--limit <n>',
        `list so many (default: ${SHOWN_HITS}; with --json and --csv all)`,
      ).argParser(wholeNumber(0)),
    )
    .addOption(
      option('--csv <file>', 'write the list as CSV; - is standard output').conflicts('json'),
    )
    .addOption(mitigationOption('what protects the network (default: none)'))
    .action(hits);
  return addCommonOptions(addStorageOptions(command));
}

async function hits(file: string, flags: HitsFlags, command: Command): Promise<void> {
  const { json, csv, model, format, accelerator, mitigation = NO_MITIGATION } = flags;
  const inputs = [...faultMapFiles(file), modelFile(model), accelerator];
  requireSafeOutputs([['--csv', csv === STDOUT ? undefined : csv]], inputs);
  const placed = storageOf(flags);
  const { storage } = placed;
  if (flags.mitigation) requireHits(flags.mitigation, storage);
  const map = mapFor(file, storage, command);
  const limit = flags.limit ?? (json || csv ? Number.POSITIVE_INFINITY : SHOWN_HITS);
  const listing = listingOf(map, placed, limit, flags.mitigation);
  const { cells, lists, remark } = listing;
  const placement = placementIn(storage);
  if (json) {
    const memory = { model, format, accelerator, geometry: map.geometry };
    const head = { file, ...memory, mitigation: mitigation.name, cells: cellCount(map.geometry) };
    const counts = {
      ...(storage.name !== 'weights' && { storage: storage.name }),
      ...{ faults: map.cells.length, faultyCells: cells },
      ...(placement !== undefined && { placement }),
    };
    await printParts(
      resultParts({ ...head, ...counts }, { hits: listing.rows(), ...lists }, listing.totals),
    );
  } else if (csv === STDOUT) {
    await printParts(listing.csvLines());
  } else if (csv !== undefined) {
    writePartsAtomic(csv, listing.csvLines());
    await printParts([`${csv}: ${listing.summary()}\n`]);
  } else {
    const ofStorage = storage.name === 'weights' ? '' : `${storage.name} of `;
    const on = placement === undefined ? 'on' : `${placement} on`;
    const memory = `${ofStorage}${model} with ${format} words, ${on} ${accelerator}: ${formatGeometry(map.geometry)}`;
    const table = listing.table();
    const below = remark === undefined ? '' : `\n${remark}\n`;
    const text = `${memory}\n\n${table}\n\n${listing.summary()}\n${below}`;
    await printParts([visibleLines(text)]);
  }
}

/** How what a storage holds is placed; undefined: registers and sums have their places. */
function placementIn({ cells }: PlacedStorage): Placement['kind'] | undefined {
  if (cells.kind === 'weights') return cells.placement.kind;
  return cells.kind === 'feature-maps' ? cells.featureMaps.kind : undefined;
}

/** @throws InputError when hits of a storage are not listed under a mitigation */
function requireHits(mitigation: Mitigation, { name }: PlacedStorage): void {
  if (name === 'weights' || memoryPartsOf(mitigation).length === 0) return;
  throw new InputError(
    `--mitigation ${mitigation.name}: what a memory reads under it is listed of weights alone; leave it away for --storage ${name}`,
  );
}

function listingOf(
  map: FaultMap,
  { network, accelerator: { array }, storage }: ReturnType<typeof storageOf>,
  limit: number,
  mitigation: Mitigation | undefined,
): HitListing {
  const { cells } = storage;
  if (cells.kind === 'weights') {
    return weightListing(map, network, cells.placement, limit, mitigation);
  }
  const faulty = countStorageCells(map, storage, weightedLayers(network), array);
  return cells.kind === 'feature-maps'
    ? valueListing(map, network, cells.featureMaps, cells.tensors, limit, faulty)
    : arrayListing(map, network, storage, array, limit, faulty);
}

/**
 * The map in a file.
 *
 * @throws InputError when it is of another storage or memory, or neither the file nor the user says of which memory
 */
function mapFor(
  file: string,
  { name, geometry, columnMux }: PlacedStorage,
  command: Command,
): FaultMap {
  const isNamed = namesAccelerator(command);
  const { map, format } = importFaultMap(file, {
    ...(isNamed && { geometry }),
    ...{ columnMux, storage: name },
  });
  if (!isNamed && format !== 'json' && format !== 'binary') {
    throw new InputError(
      `${file} does not say which memory it is of: name it with --model, --format, --accelerator or --placement.`,
    );
  }
  requireStorage(map, name, file);
  requireGeometry(map, geometry, file);
  return map;
}
