import { deepStrictEqual } from 'node:assert';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readStudyFile } from '../../campaign/index.js';
import { decodeNpy, featureCount, packageRoot, parseJson } from '../../core/index.js';
import {
  decodeFaultMap,
  type FaultFileFormat,
  formatBinary,
  formatCsv,
  formatFaultMap,
  formatHex,
  formatMatrices,
  formatMbist,
  parseFaultModelText,
  type ReadMapOptions,
  readPermutation,
  summarizeFaultMap,
  uniformFaultMap,
} from '../../fault/index.js';
import { loadKernels } from '../../kernels/index.js';
import { loadPriceFigures, readThresholds } from '../../mitigation/index.js';
import { decodeOnnx, encodeOnnx, readNetwork } from '../../models/index.js';
import {
  createNetworkDatapath,
  networkTiming,
  parseAccelerator,
  parseEnergyTable,
  parseScaleSimConfiguration,
  parseTopology,
} from '../../sim/index.js';
import { MAP_SAMPLES, type MapSample, naiveFaults, readFaults } from '../fault/map-samples.js';
import { KINDS, mutateModel } from '../models/hostile.js';
import { buildCase } from './build.js';
import { below, mutateInput, oneOf, type Random } from './input-mutations.js';
import { recipes } from './recipes.js';
import { FEATURES, type Form } from './support.js';

/** A reader of files, what it reads, and how often its turn comes. */
export interface InputReader {
  readonly weight: number;
  readonly samples: readonly Uint8Array[];
  readonly mutate: (sample: Uint8Array, random: Random) => Uint8Array;
  /** Throws a BitcellError where the bytes are wrong. */
  readonly read: (bytes: Uint8Array) => void;
}

const encoder = new TextEncoder();
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function examples(...path: string[]): Uint8Array[] {
  const folder = join(packageRoot(), 'examples', ...path);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map(({ name }) => new Uint8Array(readFileSync(join(folder, name))))
    .filter(({ length }) => length > 0 && length < 20_000);
}

function reader(
  weight: number,
  samples: readonly (string | Uint8Array)[],
  read: (bytes: Uint8Array) => void,
): InputReader {
  const bytes = samples.map((sample) =>
    typeof sample === 'string' ? encoder.encode(sample) : sample,
  );
  return {
    weight,
    samples: bytes,
    mutate: (sample, random) => mutateInput(sample, bytes, random),
    read,
  };
}

/** A reader that takes the path of a file. */
function fileReader(
  weight: number,
  samples: readonly (string | Uint8Array)[],
  name: string,
  read: (path: string) => unknown,
): InputReader {
  const path = join(mkdtempSync(join(tmpdir(), 'bitcell-fuzz-')), name);
  return reader(weight, samples, (bytes) => {
    writeFileSync(path, bytes);
    read(path);
  });
}

const GEOMETRY = { banks: 2, rows: 8, columns: 16 };

/** Maps are also summed up, where that takes no time. */
const MOST_FAULTS = 100_000;

function mapReader(
  format: FaultFileFormat,
  samples: readonly (string | Uint8Array)[],
  others: ReadMapOptions = {},
): InputReader {
  const options: ReadMapOptions = { geometry: GEOMETRY, columnMux: 2, ...others };
  return reader(4, samples, (bytes) => {
    const given = format === 'csv' ? [options] : [options, { ...options, format }];
    for (const each of given) {
      const { map } = decodeFaultMap([{ file: 'map', bytes }], each);
      if (map.cells.length < MOST_FAULTS) summarizeFaultMap(map);
    }
  });
}

function mapReaders(): Record<string, InputReader> {
  const map = uniformFaultMap({
    geometry: GEOMETRY,
    faults: 'stuck-at',
    seed: 1,
    trial: 0,
    rate: 0.05,
  });
  const zeros = { ...map, kinds: map.kinds.map(() => 0) };
  const matrices = formatMatrices(map, 'map');
  return {
    'map-json': mapReader('json', [formatFaultMap(map), formatFaultMap(zeros)]),
    'map-binary': mapReader('binary', [formatBinary(map)]),
    'map-csv': mapReader('csv', [formatCsv(map)]),
    'map-hex': mapReader('hex', [formatHex(zeros, 'map')]),
    'map-mbist': mapReader('mbist', [formatMbist(zeros, 'map', 2)]),
    'map-list': mapReader(
      'list',
      ['0,1,2\n1 ,3, 4\n', '0.000e+00 1.000e+00 2.000e+00\n', '[[0, 1, 2], [1, 3, 4]]'],
      { columns: ['bank', 'row', 'column'] },
    ),
    'map-records': mapReader('json', [
      '[{"bank": 0, "row": 1, "column": 2, "kind": "SA0"}]',
      '{"bank":0,"row":1,"column":2}\n{"bank":1,"row":1,"column":2}\n',
      '{"faults": [{"address": 3, "bit": 2}], "die": "D1"}',
      '{"row": [0, 1], "column": [2, 3], "bank": [0, 0]}',
    ]),
    'map-log': mapReader('mbist', [
      'FAIL addr=0x0 exp=0xFF act=0xFE element=1\nPASS addr=0x2\n',
      '[bank 0]\n0x1,0x3\n\n[bank 1]\n0x2,0x1\n',
      'bank,address,expected,actual,die\n0,0x1,0xFF,0xF7,D1\n1,0x1,0x00,0x10,D1\n',
    ]),
    'map-memh': mapReader('memh', [
      `// memory\n@0\n${'ff '.repeat(16)}/* next */\n@10\n${'f_7\n'.repeat(16)}`,
    ]),
    'map-matrix': mapReader('matrix', [
      `${'0 '.repeat(15)}1\n`.repeat(16),
      `,${Array.from({ length: 16 }, (_, column) => column).join(',')}\n0${',0.0'.repeat(16)}\n`,
      `${'False;'.repeat(15)}True\n`.repeat(16),
    ]),
    'map-bitmap': mapReader('bitmap', [
      `# bank\n${`${'.'.repeat(15)}X\n`.repeat(16)}`,
      `${'00000000 '.repeat(2)}\n`.repeat(16),
    ]),
    'map-npy': mapReader('npy', [npyOfCells('|b1', 1), npyOfCells('<i8', 8), npyOfCells('>f8', 8)]),
    'map-gzip': mapReader('csv', [new Uint8Array(gzipSync(formatCsv(map)))]),
    'map-matrices': reader(4, matrices, (bytes) => {
      const files = [bytes, matrices[1]].map((content, index) => ({
        file: `m${index}`,
        bytes: content,
      }));
      decodeFaultMap(files, { geometry: GEOMETRY });
      decodeFaultMap(files, {});
    }),
  };
}

/** Samples of each kind of map that a naive reader reads, too. */
const SAMPLES_OF_KIND = 20;

/** Readers of maps whose faults are compared with those that a naive reader finds, where it takes the file. */
function comparedMapReaders(): Record<string, InputReader> {
  return Object.fromEntries(
    Object.entries(MAP_SAMPLES).flatMap(([kind, arbitrary]) =>
      fc
        .sample<MapSample>(arbitrary, { seed: 1, numRuns: SAMPLES_OF_KIND })
        .map((sample, index) => [`map-${kind}-${index}`, comparedMapReader(sample)]),
    ),
  );
}

function comparedMapReader(sample: MapSample): InputReader {
  return reader(1, [sample.text], (bytes) => {
    const text = decode(bytes);
    const faults = readFaults(bytes, sample);
    // Bytes that are no text have none that both could read.
    if (!Buffer.from(text).equals(bytes)) return;
    const expected = naiveFaults(text, sample);
    if (expected) deepStrictEqual(faults, expected);
  });
}

/** An array of cells without a fault. */
function npyOfCells(descr: string, bytes: number): Uint8Array {
  const head = `{'descr': '${descr}', 'fortran_order': True, 'shape': (2, 8, 16), }`.padEnd(117);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from('934e554d505901007600', 'hex'),
      Buffer.from(`${head}\n`),
      Buffer.alloc(2 * 8 * 16 * bytes),
    ]),
  );
}

const THRESHOLDS = JSON.stringify({
  format: 'bitcell-thresholds',
  version: 1,
  network: { name: 'n', checksum: 'c' },
  found: { method: 'profile-maximum', images: 10 },
  int8: { conv1: [1, 2, 3], fc: [4] },
  float32: { conv1: [1.5], fc: [4e3] },
});

const CONVOLUTIONS =
  'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,';

const TOPOLOGIES = [
  `${CONVOLUTIONS} Groups, Sparsity,\na, 14, 14, 3, 3, 32, 48, 1, 4, 1:1,\n,,,,,\nb, 7, 7, 3, 3, 8, 8, 2, 8, 2:4,\n`,
  `${CONVOLUTIONS}, Target\na, 9, 9, 3, 3, 2, 4, 2, NPU\nDPb, 9, 9, 3, 3, 2, 1, 1,, GPU\n`,
  'Layer, M, N, K, Batch,\ng, 7, 8, 9, 1,\n# a note, with a comma\n',
];

/** Every key of a configuration of SCALE-Sim v3. */
const SCALE_SIM_3 = `[general]
run_name = core
[architecture_presets]
ArrayHeight: 16
ArrayWidth: 16
IfmapSramSzkB: 16
FilterSramSzkB: 16
OfmapSramSzkB: 16
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth : 10, 20
Dataflow : is
MemoryBanks: 1
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 5
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 20
FilterSRAMBankNum: 1
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport : false
SparseRep : ellpack_block
OptimizedMapping : false
BlockSize : 8
RandomNumberGeneratorSeed : 40
[run_presets]
InterfaceBandwidth: USER
UseRamulatorTrace: False
TimeLinearModel: None
`;

function npy(shape: string, length: number): Uint8Array {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from('934e554d505901007600', 'hex'),
      Buffer.from(`${head}\n`),
      Buffer.alloc(length),
    ]),
  );
}

/** Larger networks are only read. */
const MOST_VALUES = 1e5;

function onnxReader(): InputReader {
  const kernels = loadKernels();
  const models = (Object.keys(FEATURES) as Form[]).flatMap((form) =>
    fc
      .sample(recipes(form, FEATURES[form]), { seed: 1, numRuns: 12 })
      .map((recipe) => encodeOnnx(buildCase(recipe, FEATURES[form]).model)),
  );
  return {
    weight: 20,
    samples: models,
    mutate(sample, random) {
      if (random() < 0.5) return mutateInput(sample, models, random);
      const mutations = Array.from({ length: 1 + below(random, 3) }, () => ({
        kind: oneOf(random, KINDS),
        at: below(random, 2 ** 20),
        pick: below(random, 2 ** 20),
      }));
      return encodeOnnx(mutateModel(decodeOnnx(sample, 'sample'), mutations));
    },
    read(bytes) {
      const network = readNetwork(bytes, 'net');
      const values = network.tensors.reduce((sum, { shape }) => sum + featureCount(shape), 0);
      if (values < MOST_VALUES) createNetworkDatapath(network, kernels, 1);
    },
  };
}

const ARRAY = { rows: 4, columns: 4, dataflow: 'weight-stationary' } as const;
const MOST_LAYERS = 1000;

/** All readers by name. */
export function inputReaders(): Readonly<Record<string, InputReader>> {
  const yaml = examples();
  return {
    study: fileReader(2, yaml, 'study.yaml', (path) => readStudyFile(path, {})),
    accelerator: reader(2, examples('accelerators'), (bytes) =>
      parseAccelerator(decode(bytes), 'a.yaml'),
    ),
    'fault-model': reader(
      2,
      [
        'model: clusters\nclustering: 0.5\nregion: {rows: 8, columns: 16}\nfaults: stuck-at\nstuckAt1Share: 0.7\n',
        'model: voltage\ntable:\n  - {voltage: 0.6, rate: 1.0e-6}\n  - {voltage: 0.5, rate: 1.0e-3}\nscope:\n  banks: &b [0, 1]\n  bits: {positions: *b, weightBits: 8, columnMux: 4}\n',
      ],
      (bytes) => parseFaultModelText(decode(bytes), 'f.yaml'),
    ),
    'energy-table': reader(2, examples('energy'), (bytes) =>
      parseEnergyTable(decode(bytes), 'e.yaml'),
    ),
    prices: fileReader(
      2,
      [
        'cellFactor: {value: 2, unit: cells, source: a}\nxorGateDelay: {value: 1.5e1, unit: ps, source: "b"}\n',
      ],
      'prices.yaml',
      (path) => loadPriceFigures(path),
    ),
    permutation: fileReader(
      2,
      ['addressBits: [1, 0, 2]\ndataBits: [7, 6, 5, 4, 3, 2, 1, 0]\n'],
      'p.yaml',
      (path) => readPermutation(path),
    ),
    ...mapReaders(),
    ...comparedMapReaders(),
    thresholds: fileReader(3, [THRESHOLDS], 't.json', (path) => readThresholds(path)),
    json: reader(3, [THRESHOLDS, '[[[{"a": [1.5e3, "\\u00e9\\n", null]}]]]'], (bytes) => {
      parseJson(decode(bytes), 'a.json');
    }),
    topology: reader(4, [...examples('topologies'), ...TOPOLOGIES], (bytes) => {
      const layers = parseTopology(decode(bytes), 't.csv', { sparsityIsOff: true });
      if (layers.length < MOST_LAYERS)
        networkTiming(
          layers.map(({ shape }) => shape),
          ARRAY,
        );
    }),
    'scalesim-cfg': reader(4, [...examples('configs'), SCALE_SIM_3], (bytes) => {
      parseScaleSimConfiguration(decode(bytes), 'c.cfg');
    }),
    npy: reader(4, [npy('2, 3', 24), npy('1, 1, 2, 2', 16), npy('', 4)], (bytes) =>
      decodeNpy(bytes, 'x.npy'),
    ),
    onnx: onnxReader(),
  };
}
