import { BitcellError, featureCount, InputError } from '../../core/index.js';
import { elementArray, type IslandLayer } from '../../models/index.js';
import { type BoundSession, type BoundTensor, loadBinding, requireOnnxruntime } from './binding.js';
import { readElements } from './elements.js';
import { bindFeed, type FeedSource } from './feed.js';

/**
 * As nodes stand in the file: without rewriting, so that an island has the bits of these nodes in onnxruntime, on one
 * thread and in order, so that it has the same ones each time.
 */
const SESSION_OPTIONS = {
  graphOptimizationLevel: 'disabled',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // Errors are thrown, too.
  logSeverityLevel: 4,
};

/** Where an island stands in a network. */
export interface IslandPlace {
  /** What errors call the network's file. */
  readonly source: string;
  /** One for each of the island's feeds. */
  readonly inputs: readonly FeedSource[];
  /** Images one behind the other, each with all fetches one behind the other. */
  readonly output: Float32Array;
}

/**
 * A function that computes an island for so many images, on this thread and within the call: one image at a time, for
 * onnxruntime's products of one row and of several are not the same to the bit.
 *
 * @throws InputError where onnxruntime-node is missing or of another version, or does not load the island's nodes
 */
export function createIslandRunner(
  island: Pick<IslandLayer, 'name' | 'model' | 'feeds' | 'fetches' | 'reasons'>,
  { source, inputs, output }: IslandPlace,
): (images: number) => void {
  const session = openSession(island, source);
  const bound = island.feeds.map((feed, index) => bindFeed(feed, inputs[index]));
  const feeds = Object.fromEntries(
    island.feeds.map(({ name }, index) => [name, bound[index].tensor]),
  );
  const constant = bound.filter((_, index) => inputs[index].constant);
  const changing = bound.filter((_, index) => !inputs[index].constant);
  const fetches = island.fetches.map(({ name, elementType, dims }) => {
    const length = dims.reduce((product, size) => product * size, 1);
    const tensor: BoundTensor = {
      type: elementType,
      dims,
      data: elementArray(elementType, length),
      location: 'cpu',
    };
    return { name, elementType, tensor, length };
  });
  const fetched = Object.fromEntries(fetches.map(({ name, tensor }) => [name, tensor]));
  const length = fetches.reduce((sum, fetch) => sum + fetch.length, 0);

  return (images) => {
    for (const feed of constant) feed.load(0);
    for (let image = 0; image < images; image += 1) {
      for (const feed of changing) feed.load(image);
      runSession(session, feeds, fetched, island, source);
      let start = image * length;
      for (const fetch of fetches) {
        const numbers = output.subarray(start, start + fetch.length);
        const wrong = readElements(fetch.tensor.data, fetch.elementType, numbers);
        if (wrong >= 0) {
          throw new InputError(
            `${source}: value "${fetch.name}" (${fetch.elementType}) holds ${fetch.tensor.data[wrong]}, which is no number of float32, in which Bitcell passes values on from onnxruntime`,
          );
        }
        start += fetch.length;
      }
    }
  };
}

/** Bytes that an island takes beside its tensors: its values of one image, feeds included, and its constants. */
export function islandBytes(
  { model, bytes, fetches }: Pick<IslandLayer, 'model' | 'bytes' | 'fetches'>,
  inputs: readonly Pick<FeedSource, 'shape'>[],
): number {
  const numbers =
    inputs.reduce((sum, { shape }) => sum + featureCount(shape), 0) +
    fetches.reduce((sum, { dims }) => sum + dims.reduce((product, size) => product * size, 1), 0);
  // onnxruntime reads its copy of the file into tensors of its own; elements have 8 bytes at most.
  return 2 * model.length + bytes + 8 * numbers;
}

/**
 * Checks that there is what computes an island, before threads are started for it.
 *
 * @throws InputError as `createIslandRunner` does where onnxruntime-node is missing or of another version
 */
export function requireIslandRuntime(island: Pick<IslandLayer, 'reasons'>, source: string): void {
  requireOnnxruntime(whyNeeded(island, source));
}

function whyNeeded(island: Pick<IslandLayer, 'reasons'>, source: string): string {
  return `${source}: onnxruntime computes ${nodeList(island)}`;
}

function openSession(island: Pick<IslandLayer, 'model' | 'reasons'>, source: string): BoundSession {
  const session = loadBinding(whyNeeded(island, source))();
  // A copy in memory that is not shared.
  const { buffer } = new Uint8Array(island.model);
  try {
    session.loadModel(buffer, 0, buffer.byteLength, SESSION_OPTIONS);
  } catch (error) {
    throw new InputError(
      `${source}: onnxruntime does not take ${nodeList(island)}: ${firstLine(error)}`,
      { cause: error },
    );
  }
  return session;
}

function runSession(
  session: BoundSession,
  feeds: Readonly<Record<string, BoundTensor>>,
  fetches: Readonly<Record<string, BoundTensor>>,
  island: Pick<IslandLayer, 'reasons'>,
  source: string,
): void {
  try {
    session.run(feeds, fetches, {});
  } catch (error) {
    throw new BitcellError(
      `${source}: onnxruntime failed in ${nodeList(island)}: ${firstLine(error)}`,
      undefined,
      { cause: error },
    );
  }
}

/** The first nodes of an island, and how many others it has. */
function nodeList({ reasons }: Pick<IslandLayer, 'reasons'>): string {
  const names = reasons.slice(0, 3).map(({ node }) => node);
  const others = reasons.length - names.length;
  return others > 0 ? `${names.join(', ')} and ${others} more` : names.join(', ');
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
