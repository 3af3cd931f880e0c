/** What every layer has. */
export interface NamedLayer {
  /** Unique in the network. */
  readonly name: string;
  /** Index into `Network.tensors`. */
  readonly output: number;
}

/** A layer with one input. */
export interface LayerBase extends NamedLayer {
  /** Index into `Network.tensors`. */
  readonly input: number;
}

/** A layer with any number of inputs. */
export interface JoiningLayer extends NamedLayer {
  /** Indices into `Network.tensors`. */
  readonly inputs: readonly number[];
}
