/** A file of samples for an input of a network. */
export interface InputFile {
  /** Of the input; absent: the network has one alone. */
  readonly name?: string | undefined;
  readonly file: string;
}

/**
 * Samples for a network, and what is right about them: plain data that can be posted to threads, large arrays in
 * shared memory.
 */
export interface Workload {
  /** What messages and stores call the data. */
  readonly name: string;
  /** Where given samples come from. */
  readonly files?: readonly InputFile[];
  readonly samples: number;
  /** Values of one sample: all inputs of the network one behind the other, as ONNX orders them. */
  readonly sampleLength: number;
  /** samples × sampleLength. */
  readonly values: Uint8Array | Float32Array;
  /**
   * What each byte stands for, a table of 256 numbers for each plane: a sample is as many planes, of one length.
   * Absent: values go in as they are.
   */
  readonly tables?: readonly Float32Array[];
  /** The class of each sample; absent: samples are judged by what the fault-free network makes of them. */
  readonly labels?: Uint8Array;
}

/** What is said of a sample that came out right: it has its label, or agrees with the fault-free network. */
export type Metric = 'accuracy' | 'agreement';

export function metricOf({ labels }: Pick<Workload, 'labels'>): Metric {
  return labels ? 'accuracy' : 'agreement';
}

/**
 * Network inputs of some samples (samples × sampleLength), in float32.
 *
 * @param indices which samples, in this order; default: all
 */
export function workloadInputs(workload: Workload, indices?: ArrayLike<number>): Float32Array {
  const { sampleLength, samples, tables } = workload;
  const count = indices?.length ?? samples;
  const inputs = new Float32Array(count * sampleLength);
  for (let place = 0; place < count; place += 1) {
    const start = (indices ? indices[place] : place) * sampleLength;
    const sample = workload.values.subarray(start, start + sampleLength);
    const target = inputs.subarray(place * sampleLength, (place + 1) * sampleLength);
    if (tables) lookUp(sample, tables, target);
    else target.set(sample);
  }
  return inputs;
}

function lookUp(
  sample: Uint8Array | Float32Array,
  tables: readonly Float32Array[],
  target: Float32Array,
): void {
  const plane = sample.length / tables.length;
  for (const [index, table] of tables.entries()) {
    const end = (index + 1) * plane;
    for (let place = index * plane; place < end; place += 1) target[place] = table[sample[place]];
  }
}
