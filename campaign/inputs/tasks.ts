import { featureCount, InputError, shownValue } from '../../core/index.js';
import { type Network, networkOutputs } from '../../models/index.js';
import type { Judgement, Task, Workload } from '../../workload/index.js';

/** What decides how samples are judged; what is not given, labels and outputs decide. */
export interface TaskOptions {
  readonly task?: Task['kind'] | undefined;
  /** How many of the largest scores a class may be among. */
  readonly topK?: number | undefined;
  /** The absolute tolerance, or the absolute and the relative one. */
  readonly tolerance?: number | readonly [absolute: number, relative: number] | undefined;
  /** Mean squared difference of output and input above which a sample is anomalous. */
  readonly anomalyThreshold?: number | undefined;
  /** The output that is judged; default: all, which must be one unless values are compared. */
  readonly outputName?: string | undefined;
}

/** What is judged of a network. */
interface Judged {
  readonly network: string;
  readonly names: readonly string[];
  readonly start: number;
  readonly length: number;
  /** Whether it is one vector of two values or more. */
  readonly isVector: boolean;
}

/**
 * How the samples of a workload are judged by the outputs of a network. Without options, one vector of two values or
 * more is the scores of classes, and anything else is values.
 *
 * @throws InputError when options contradict one another, the outputs or the labels, naming what to give instead
 */
export function taskOf(
  options: TaskOptions,
  network: Network,
  workload: Pick<Workload, 'name' | 'labels' | 'sampleLength'>,
): Task {
  const judged = judgedOutputs(network, options.outputName);
  const kind = kindOf(options, judged, workload);
  requireOwnOptions(options, kind);
  const { start, length } = judged;
  return { ...JUDGEMENTS[kind](options, judged, workload), start, length };
}

function judgedOutputs(network: Network, wanted: string | undefined): Judged {
  const outputs = networkOutputs(network);
  const lengths = outputs.map(({ tensor }) => featureCount(network.tensors[tensor].shape));
  const all = lengths.reduce((sum, length) => sum + length, 0);
  if (wanted === undefined) {
    return {
      ...{ network: network.name, names: outputs.map(({ name }) => name), start: 0, length: all },
      isVector: outputs.length === 1 && outputs[0].dims.at(-1) === all && all > 1,
    };
  }
  const place = outputs.findIndex(({ name }) => name === wanted);
  if (place < 0) {
    const names = outputs.map(({ name }) => shownValue(name)).join(', ');
    throw new InputError(
      `--output-name ${wanted}: ${network.name} has no such output; its outputs: ${names}`,
    );
  }
  const length = lengths[place];
  return {
    ...{ network: network.name, names: [wanted], length },
    start: lengths.slice(0, place).reduce((sum, before) => sum + before, 0),
    isVector: outputs[place].dims.at(-1) === length && length > 1,
  };
}

/** The option that belongs to each kind, as flags and as fields. */
const OWN_OPTIONS = {
  classification: ['topK', '--top-k'],
  regression: ['tolerance', '--tolerance'],
  anomaly: ['anomalyThreshold', '--anomaly-threshold'],
} as const satisfies Readonly<Record<Task['kind'], readonly [keyof TaskOptions, string]>>;

const KINDS = Object.keys(OWN_OPTIONS) as Task['kind'][];

function kindOf(
  options: TaskOptions,
  { network, isVector }: Judged,
  { name, labels }: Pick<Workload, 'name' | 'labels'>,
): Task['kind'] {
  if (options.task) return options.task;
  const told = KINDS.filter((kind) => options[OWN_OPTIONS[kind][0]] !== undefined);
  if (told.length > 1) {
    const flags = told.map((kind) => OWN_OPTIONS[kind][1]).join(' and ');
    throw new InputError(`${flags} are of different tasks: give one of them`);
  }
  if (told.length === 1) return told[0];
  if (labels && !isVector) {
    throw new InputError(
      `${name} has labels, but ${network} makes no scores of classes of a sample: say what they are by --task, with --output-name where one output of several has the scores`,
    );
  }
  return isVector ? 'classification' : 'regression';
}

/** @throws InputError when an option of another task is given, which would mean nothing */
function requireOwnOptions(options: TaskOptions, kind: Task['kind']): void {
  for (const other of KINDS) {
    const [field, flag] = OWN_OPTIONS[other];
    if (other === kind || options[field] === undefined) continue;
    throw new InputError(`${flag} is for --task ${other}, not for ${kind}: leave one of them away`);
  }
}

type Judge = (
  options: TaskOptions,
  judged: Judged,
  workload: Pick<Workload, 'name' | 'labels' | 'sampleLength'>,
) => Judgement;

const JUDGEMENTS: Readonly<Record<Task['kind'], Judge>> = {
  classification({ topK = 1 }, judged, { name, labels }) {
    const { network, names, length, isVector } = judged;
    if (!isVector) {
      const remedy =
        names.length > 1
          ? `give --output-name, one of ${names.map(shownValue).join(', ')}`
          : 'give --task regression or anomaly';
      throw new InputError(
        `--task classification: ${network} does not make one vector of scores of a sample: ${remedy}`,
      );
    }
    if (topK > length) {
      throw new InputError(
        `--top-k ${topK}: ${network} has ${length} classes; give at most so many`,
      );
    }
    requireLabelsBelow(length, name, labels, `${network} has ${length} classes, from 0`);
    return { kind: 'classification', topK };
  },
  regression({ tolerance }, _judged, { name, labels }) {
    if (labels) {
      throw new InputError(
        `--task regression: the labels of ${name} are classes, no values; give its samples by --input to compare with the fault-free network`,
      );
    }
    if (tolerance === undefined) return { kind: 'regression' };
    const [absolute, relative] = typeof tolerance === 'number' ? [tolerance, 0] : tolerance;
    return { kind: 'regression', tolerance: { absolute, relative } };
  },
  anomaly({ anomalyThreshold }, { network, names, length }, { name, labels, sampleLength }) {
    if (anomalyThreshold === undefined) {
      throw new InputError(
        '--task anomaly: give --anomaly-threshold, the mean squared difference of output and input above which a sample is anomalous',
      );
    }
    if (length !== sampleLength) {
      throw new InputError(
        `--task anomaly: ${network} makes ${length} values (${names.join(', ')}) of the ${sampleLength} of a sample, but a reconstruction has as many`,
      );
    }
    requireLabelsBelow(2, name, labels, 'anomalies are labelled 1, other samples 0');
    return { kind: 'anomaly', threshold: anomalyThreshold };
  },
};

function requireLabelsBelow(
  count: number,
  name: string,
  labels: Workload['labels'],
  allowed: string,
): void {
  const place = labels?.findIndex((label) => label >= count) ?? -1;
  if (place < 0) return;
  throw new InputError(`${name}: sample ${place} has the label ${labels?.[place]}, but ${allowed}`);
}
