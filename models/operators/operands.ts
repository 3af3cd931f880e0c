import { rowMajorSteps } from '../../kernels/index.js';
import type { Form } from '../graph/form.js';
import { typeOf } from '../graph/graph.js';
import type { OnnxNode } from '../onnx/index.js';
import type { Activation, ReadValues } from './definition.js';

/** What a node takes at a position, as float32 numbers. */
export function realOperand(into: ReadValues, node: OnnxNode, position: number): Activation {
  requireReal(into, node, position);
  return into.activation(node, position);
}

/** Leaves the node to the host unless it takes float32 numbers. */
export function requireReal(into: ReadValues, node: OnnxNode, position: number): void {
  const { elementType } = typeOf(into.graph, node.inputs[position]);
  if (elementType !== 'float32') into.cannot(node, `computes with ${elementType} values`);
}

/** The axes of a value in the order in which they are stored, outermost first. */
export function storedOrder({ dims, layout }: Form): number[] {
  const axes = [...dims.keys()];
  return layout === 'row-major' || dims.length < 3 ? axes : [0, ...axes.slice(2), 1];
}

/** Sizes of a value's axes in the order in which they are stored. */
export function storedDims(form: Form): number[] {
  return storedOrder(form).map((axis) => form.dims[axis]);
}

/** How many stored values further the next along each axis of the file lies. */
export function storedSteps(form: Form): number[] {
  const order = storedOrder(form);
  const steps = rowMajorSteps(storedDims(form));
  return form.dims.map((_, axis) => steps[order.indexOf(axis)]);
}

/** Axes of the file as axes of what is stored, ascending. */
export function storedAxes(form: Form, axes: readonly number[]): number[] {
  const order = storedOrder(form);
  return axes.map((axis) => order.indexOf(axis)).toSorted((a, b) => a - b);
}
