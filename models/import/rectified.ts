import { isOnArray, type Layer, type NetworkValue, type Tensor } from '../network.js';

interface Rectifiable {
  readonly layers: readonly Layer[];
  readonly tensors: readonly Tensor[];
  readonly outputs: readonly Pick<NetworkValue, 'tensor'>[];
}

/**
 * Layers on the array behind which a quantisation has its zero point at its least integer, and so is a ReLU: quantisers
 * leave out the operator there. What leaves the network is none, whatever its quantisation.
 */
export function withRectifiers<P extends Rectifiable>(parts: P): P {
  const left = new Set(parts.outputs.map(({ tensor }) => tensor));
  const layers = parts.layers.map((layer): Layer => {
    const quantization = parts.tensors[layer.output].quantization;
    if (quantization?.zeroPoint !== 0 || left.has(layer.output)) return layer;
    return isOnArray(layer) ? { ...layer, relu: true } : layer;
  });
  return { ...parts, layers };
}
