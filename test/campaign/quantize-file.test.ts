import { expect, test } from 'vitest';
import { cifar10Workload, quantizeFile, workloadSamples } from '../../campaign/index.js';
import { verifyFile } from '../../campaign/verify/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  ACTIVATION_TYPES,
  arrayLayers,
  dequantize,
  type Float32Graph,
  loadCifar10,
  readGraph,
  writeFloat32,
} from '../../models/index.js';
import { createNetworkDatapath } from '../../sim/index.js';
import { smallNetwork } from './small-network.js';

const workload = cifar10Workload(loadCifar10({ split: 'test', limit: 4 }));

test.each(ACTIVATION_TYPES)(
  "a file with QuantizeLinear nodes of %s in the user's graph is equal in onnxruntime",
  async (activations) => {
    const graph = readGraph(writeFloat32(dequantize(smallNetwork())), 'small') as Float32Graph;
    const options: Parameters<typeof quantizeFile>[2] = {
      calibration: { method: 'min-max' },
      weights: 'per-channel',
      biasCorrection: false,
      activations,
    };
    const { file, network } = quantizeFile(graph, workloadSamples(workload, 4), options);
    expect(arrayLayers(network).map(({ name }) => name)).toEqual(
      arrayLayers(graph.network).map(({ name }) => name),
    );
    const read = (bytes: Uint8Array) => readGraph(bytes, 'small');
    const quantized = read(file);
    const datapath = createNetworkDatapath(quantized.network, loadKernels(), 4);
    const cases = await verifyFile({
      ...{ graph: quantized, read, datapath, thresholds: new Map() },
      ...{ workload, images: 4, threads: 1, states: ['clean', 'faulted'] },
    });
    for (const found of cases) expect(found).toMatchObject({ mismatches: 0, images: 4 });
  },
);
