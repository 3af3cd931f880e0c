import { canBeChannelsLast, type Form } from '../graph/form.js';
import type { ImportGraph } from '../graph/graph.js';

/** How an input is best stored: with its channels innermost where they are channels. */
export function inputLayout(
  graph: ImportGraph,
  name: string,
  dims: readonly number[],
): Form['layout'] {
  if (!canBeChannelsLast({ dims })) return 'row-major';
  if (dims.length === 2) return 'channels-last';
  const takers = takersOf(graph, name);
  const prefersRows = dims.length === 3 ? !takers.includes('Conv') : takers.includes('Transpose');
  return prefersRows ? 'row-major' : 'channels-last';
}

/** The operators that take a value, also behind QuantizeLinear and DequantizeLinear. */
function takersOf(graph: ImportGraph, name: string): readonly string[] {
  return (graph.consumers.get(name) ?? []).flatMap(({ opType, outputs }) =>
    /^(Quantize|Dequantize)Linear$/.test(opType) ? takersOf(graph, outputs[0]) : [opType],
  );
}
