import { readFileSync } from 'node:fs';
import { arch } from 'node:process';
import { onnxruntimeVersion } from './binding.js';

/** What the results of islands depend on beside the network: onnxruntime chooses its kernels by the processor. */
export interface IslandRuntime {
  /** Version of onnxruntime-node; none: it is not installed. */
  readonly onnxruntime: string;
  /** Architecture, and of its instruction sets those by which onnxruntime chooses, as far as the system names them. */
  readonly processor: string;
}

/** Flags of /proc/cpuinfo that onnxruntime's matrix and elementwise kernels are chosen by, as Linux names them. */
const INSTRUCTION_SETS = [
  'sse4_1',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'avx_vnni',
  'avx512f',
  'avx512bw',
  'avx512dq',
  'avx512vl',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  'asimd',
  'asimdhp',
  'asimddp',
  'i8mm',
  'bf16',
  'sve',
  'sve2',
  'sme',
];

/** The runtime of islands on this machine. */
export function islandRuntime(): IslandRuntime {
  const flags = cpuFlags();
  const sets = INSTRUCTION_SETS.filter((name) => flags.has(name));
  return {
    onnxruntime: onnxruntimeVersion() ?? 'none',
    processor: [arch, ...sets].join(' '),
  };
}

/** Empty where the system does not tell: then the architecture alone is compared. */
function cpuFlags(): ReadonlySet<string> {
  try {
    const [, flags = ''] =
      /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    return new Set(flags.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}
