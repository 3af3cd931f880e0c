import { expect, test } from 'vitest';
import {
  type BandwidthModel,
  layerTiming,
  memorySystemOf,
  parseScaleSimConfiguration,
  parseTopology,
} from '../../../sim/index.js';

const TOPOLOGY = `Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
conv_a, 14, 14, 3, 3, 32, 48, 1,
conv_b, 12, 12, 3, 3, 48, 64, 2,
fc_c, 1, 1, 1, 1, 400, 100, 1,
`;

function configuration(mode: string, dataflow: string): string {
  return `[general]
run_name = core_a
[architecture_presets]
ArrayHeight:    16
ArrayWidth:     16
IfmapSramSzkB:   16
FilterSramSzkB:  16
OfmapSramSzkB:   16
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Bandwidth : 10
Dataflow : ${dataflow}
MemoryBanks:   1
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
InterfaceBandwidth: ${mode}
UseRamulatorTrace: False
`;
}

function cycles(topology: string, config: string, model: BandwidthModel = 'scalesim-v2') {
  const accelerator = parseScaleSimConfiguration(config, 'a.cfg');
  const memory = memorySystemOf(accelerator, 'int8', model);
  return parseTopology(topology, 'a.csv').map(
    ({ shape }) => layerTiming(shape, accelerator.array, memory).totalCycles,
  );
}

test('in CALC mode, the cycles of SCALE-Sim v3', () => {
  expect(cycles(TOPOLOGY, configuration('CALC', 'ws'))).toEqual([10259, 8855, 8224]);
});

// v3 counts a wait of conv_a twice: 20,897.
test('in USER mode, the cycles of SCALE-Sim v3 at the bandwidths of its banks', () => {
  expect(cycles(TOPOLOGY, configuration('USER', 'os'))).toEqual([20697, 8010, 3009]);
});

test('groups divide channels and filters among products', () => {
  const topology = TOPOLOGY.replace('Strides,', 'Strides, Groups,')
    .replace('48, 1,', '48, 1, 4,')
    .split('\n')
    .slice(0, 2)
    .join('\n');
  // 4 products of 144 positions, a window of 72 and 12 filters: 9 folds of 72 + 30 cycles each.
  expect(cycles(topology, configuration('CALC', 'os'))).toEqual([4 * (9 * 102 - 1)]);
});
