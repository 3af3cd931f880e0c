import { availableParallelism, cpus, totalmem } from 'node:os';
import { Command } from 'commander';
import { EXIT, memoryLimit } from '../../core/index.js';
import {
  createBackend,
  KERNEL_PROVIDERS,
  type KernelProvider,
  type KernelsInUse,
  kernelsInUse,
  PROVIDERS,
  SELF_TEST_NEEDS,
  testKernels,
} from '../../kernels/index.js';
import { loadCifar10 } from '../../models/index.js';
import { addKernels } from '../input/kernels.js';
import { addMemoryLimit } from '../input/memory-limit.js';
import { addCommonOptions, type CommonOptions } from '../input/options.js';
import { printResult } from '../print/output.js';
import { formatTable } from '../print/table.js';

/** The kernels of one instruction set: why they cannot be used, or what their self-test found. */
type KernelsReport =
  | { readonly name: string; readonly missing: string }
  | { readonly name: string; readonly layers: number; readonly wrong: readonly string[] };

interface ProviderReport {
  readonly name: string;
  readonly unavailable: string | null;
  readonly instructionSets: readonly KernelsReport[];
}

/** Something that commands need beside Bitcell itself. */
interface Found {
  readonly found: boolean;
  /** What was found, or why it was not. */
  readonly note: string;
}

interface Report {
  readonly node: string;
  readonly system: string;
  readonly processor: string;
  readonly threads: number;
  readonly memory: { readonly bytes: number; readonly limitBytes: number };
  readonly kernels: KernelsInUse;
  readonly providers: readonly ProviderReport[];
  readonly data: Found;
  readonly onnxruntime: Found;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'What Bitcell finds on this machine, and whether its kernels compute what the reference does',
    )
    .action(doctor);
  return addCommonOptions(addMemoryLimit(addKernels(command)));
}

async function doctor({ json }: CommonOptions): Promise<void> {
  const report: Report = {
    node: process.version,
    system: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown processor',
    threads: availableParallelism(),
    memory: { bytes: totalmem(), limitBytes: memoryLimit() },
    kernels: kernelsInUse(),
    providers: KERNEL_PROVIDERS.map((name) => reportOf(PROVIDERS[name])),
    data: foundData(),
    onnxruntime: await foundOnnxruntime(),
  };
  printResult(json, report, () => toText(report));
  const isWrong = report.providers.some(({ instructionSets }) =>
    instructionSets.some((kernels) => 'wrong' in kernels && kernels.wrong.length > 0),
  );
  if (isWrong) process.exitCode = EXIT.mismatch;
}

function reportOf(provider: KernelProvider): ProviderReport {
  const { name } = provider;
  const problem = provider.unavailable();
  if (problem !== undefined) return { name, unavailable: problem, instructionSets: [] };
  const instructionSets = provider.instructionSets().map((one): KernelsReport => {
    if (one.missing !== undefined) return { name: one.name, missing: one.missing };
    const backend = createBackend(provider.load(one.name), SELF_TEST_NEEDS);
    return { name: one.name, ...testKernels(backend) };
  });
  return { name, unavailable: null, instructionSets };
}

function foundData(): Found {
  try {
    loadCifar10({ split: 'test', limit: 1 });
    return { found: true, note: 'CIFAR-10' };
  } catch (error) {
    return { found: false, note: reasonOf(error) };
  }
}

async function foundOnnxruntime(): Promise<Found> {
  try {
    const { onnxruntimeOverflows } = await import('../../campaign/verify/index.js');
    const overflows = await onnxruntimeOverflows();
    const note = overflows
      ? 'its uint8 × int8 products overflow on this processor: mismatches are to be expected'
      : 'runs';
    return { found: true, note };
  } catch (error) {
    return { found: false, note: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toText(report: Report): string {
  const { memory, kernels, data, onnxruntime } = report;
  const inGigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const rows = report.providers.flatMap(({ name, unavailable, instructionSets }) =>
    unavailable === null
      ? instructionSets.map((one) => [name, one.name, verdictOf(one)])
      : [[name, '-', unavailable]],
  );
  return [
    `Node.js ${report.node}, ${report.system}`,
    `${report.processor}, ${report.threads} threads`,
    `${inGigabytes(memory.bytes)} of memory; a command takes ${inGigabytes(memory.limitBytes)} at most (--memory-limit)`,
    `kernels: ${kernels.provider}, ${kernels.instructionSet} (--kernels)`,
    `data: ${data.note}`,
    `onnxruntime: ${onnxruntime.note}`,
    '',
    formatTable(['provider', 'instructions', 'self-test'], rows),
  ].join('\n');
}

function verdictOf(kernels: KernelsReport): string {
  if ('missing' in kernels) return kernels.missing;
  const { layers, wrong } = kernels;
  return wrong.length === 0
    ? `${layers} layers as the reference`
    : `${wrong.length} of ${layers} layers wrong: ${wrong.join(', ')}`;
}
