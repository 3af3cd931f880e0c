import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { ModelError, packageRoot } from '../../core/index.js';
import {
  capturedNames,
  decodeOnnx,
  encodeOnnx,
  type OnnxModel,
  type OnnxTensor,
} from '../../models/index.js';

const folder = join(packageRoot(), 'models', 'onnx');
/** Encodes by reflection on onnx.proto, not by the generated code. */
const ModelProto = protobuf
  .loadSync(join(folder, 'proto', 'onnx.proto'))
  .lookupType('onnx.ModelProto');

function encodeByReflection(graph: object, model: object = {}): Uint8Array {
  return ModelProto.encode(
    ModelProto.fromObject({ irVersion: 7, opsetImport: [{ version: 13 }], graph, ...model }),
  ).finish();
}

function decodeInitializer(tensor: object): OnnxTensor {
  const bytes = encodeByReflection({ initializer: [{ name: 'w', ...tensor }] });
  return decodeOnnx(bytes, 'test.onnx').graph.initializers[0];
}

const model: OnnxModel = {
  irVersion: 7,
  producer: 'bitcell',
  opsets: new Map([
    ['', 13],
    ['com.microsoft', 1],
  ]),
  metadata: new Map([['key', 'value']]),
  graph: {
    name: 'graph',
    nodes: [
      {
        name: 'node',
        opType: 'Op',
        domain: 'com.microsoft',
        inputs: ['x', '', 'w'],
        outputs: ['y'],
        attributes: new Map([
          ['float', { type: 'float', value: 0.5 }],
          ['zero', { type: 'int', value: 0 }],
          ['large', { type: 'int', value: -(2 ** 53) + 1 }],
          ['ints', { type: 'ints', value: [0, -1, 2 ** 40] }],
          ['floats', { type: 'floats', value: [0, -0.25] }],
          ['string', { type: 'string', value: 'é' }],
          ['strings', { type: 'strings', value: ['Tanh', ''] }],
          ['end', { type: 'int', value: 2 ** 63 }],
          [
            'tensor',
            {
              type: 'tensor',
              value: { name: '', elementType: 'int32', dims: [], data: Int32Array.of(-7) },
            },
          ],
        ]),
      },
    ],
    initializers: [
      { name: 'f', elementType: 'float32', dims: [2], data: Float32Array.of(NaN, -0) },
      { name: 'b', elementType: 'int8', dims: [1, 3], data: Int8Array.of(-128, 0, 127) },
      { name: 'u', elementType: 'uint8', dims: [2], data: Uint8Array.of(0, 255) },
      { name: 'i', elementType: 'int32', dims: [], data: Int32Array.of(-(2 ** 31)) },
      { name: 'l', elementType: 'int64', dims: [1], data: BigInt64Array.of(-(2n ** 63n)) },
      { name: 'empty', elementType: 'float32', dims: [0], data: new Float32Array(0) },
      { name: 'd', elementType: 'float64', dims: [2], data: Float64Array.of(0.1, -0) },
      { name: 'h', elementType: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0x8000) },
      { name: 's', elementType: 'int16', dims: [2], data: Int16Array.of(-(2 ** 15), 1) },
      { name: 't', elementType: 'uint16', dims: [1], data: Uint16Array.of(2 ** 16 - 1) },
      { name: 'v', elementType: 'uint32', dims: [1], data: Uint32Array.of(2 ** 32 - 1) },
      { name: 'o', elementType: 'uint64', dims: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
      { name: 'k', elementType: 'bool', dims: [2], data: Uint8Array.of(0, 1) },
    ],
    inputs: [{ name: 'x', elementType: 'float32', dims: ['batch', 3, 32, 32] }],
    outputs: [
      { name: 'y', elementType: 'uint8', dims: [1] },
      { name: 'z', elementType: 'float32', dims: undefined },
    ],
    valueInfo: [{ name: 'h', elementType: undefined, dims: undefined }],
  },
};

test('what is encoded decodes to itself', () => {
  expect(decodeOnnx(encodeOnnx(model), 'test.onnx')).toEqual(model);
});

/** A node whose subgraph takes `outer` and makes `inner`, with another subgraph inside. */
function nodeWithSubgraph() {
  const nested = { output: [{ name: 'far' }], node: [{ opType: 'Abs', input: ['inner', 'far'] }] };
  const body = {
    input: [{ name: 'own' }],
    initializer: [{ name: 'stored' }],
    node: [
      { opType: 'Add', input: ['own', 'outer', 'stored', ''], output: ['inner'] },
      { opType: 'If', output: ['end'], attribute: [graphAttribute(nested)] },
    ],
    output: [{ name: 'end' }],
  };
  const node = [{ opType: 'Loop', output: ['y'], attribute: [graphAttribute(body)] }];
  return decodeOnnx(encodeByReflection({ node }), 'test.onnx').graph.nodes[0];
}

function graphAttribute(graph: object): object {
  const GraphProto = ModelProto.root.lookupType('onnx.GraphProto');
  const bytes = GraphProto.encode(GraphProto.fromObject(graph)).finish();
  return { name: 'body', type: 5, g: Buffer.from(bytes).toString('base64') };
}

test('attributes of other kinds are written as they were', () => {
  const node = nodeWithSubgraph();
  expect(node.attributes.get('body')?.type).toBe('other');
  const bytes = encodeOnnx({ ...model, graph: { ...model.graph, nodes: [node] } });
  expect(decodeOnnx(bytes, 'test.onnx').graph.nodes).toEqual([node]);
});

test('what subgraphs take from the graph around them is known', () => {
  expect(capturedNames(nodeWithSubgraph())).toEqual(['outer', 'far']);
});

test('the generated code writes the fields that the schema names', () => {
  const { graph } = ModelProto.toObject(ModelProto.decode(encodeOnnx(model)), { longs: Number });
  expect(graph.node[0].attribute[1]).toEqual({ name: 'zero', type: 2, i: 0 });
  expect(graph.initializer[1]).toEqual({
    name: 'b',
    dims: [1, 3],
    dataType: 3,
    rawData: Buffer.of(128, 0, 127),
  });
  expect(graph.input[0].type.tensorType.shape.dim[0]).toEqual({ dimParam: 'batch' });
});

test('constants in typed fields are read as those in raw bytes', () => {
  expect(decodeInitializer({ dims: [2], dataType: 1, floatData: [0.5, -1] }).data).toEqual(
    Float32Array.of(0.5, -1),
  );
  expect(decodeInitializer({ dims: [2], dataType: 3, int32Data: [-128, 127] }).data).toEqual(
    Int8Array.of(-128, 127),
  );
  expect(decodeInitializer({ dims: [2], dataType: 2, int32Data: [0, 255] }).data).toEqual(
    Uint8Array.of(0, 255),
  );
  expect(decodeInitializer({ dims: [1], dataType: 6, int32Data: [-(2 ** 31)] }).data).toEqual(
    Int32Array.of(-(2 ** 31)),
  );
  expect(
    decodeInitializer({ dims: [1], dataType: 7, int64Data: ['-9223372036854775808'] }).data,
  ).toEqual(BigInt64Array.of(-(2n ** 63n)));
  expect(decodeInitializer({ dims: [2], dataType: 11, doubleData: [0.1, -0] }).data).toEqual(
    Float64Array.of(0.1, -0),
  );
  expect(decodeInitializer({ dims: [1], dataType: 10, int32Data: [0x3c00] }).data).toEqual(
    Uint16Array.of(0x3c00),
  );
  expect(decodeInitializer({ dims: [2], dataType: 5, int32Data: [-3, 2] }).data).toEqual(
    Int16Array.of(-3, 2),
  );
  expect(decodeInitializer({ dims: [2], dataType: 9, int32Data: [1, 0] }).data).toEqual(
    Uint8Array.of(1, 0),
  );
  expect(decodeInitializer({ dims: [1], dataType: 12, uint64Data: [2 ** 32 - 1] }).data).toEqual(
    Uint32Array.of(2 ** 32 - 1),
  );
  expect(
    decodeInitializer({ dims: [1], dataType: 13, uint64Data: ['18446744073709551615'] }).data,
  ).toEqual(BigUint64Array.of(2n ** 64n - 1n));
});

describe('decodeOnnx refuses', () => {
  const error = (bytes: Uint8Array) => {
    try {
      decodeOnnx(bytes, 'test.onnx');
    } catch (caught) {
      if (caught instanceof ModelError) return caught.message;
    }
    return undefined;
  };
  const withTensor = (tensor: object) =>
    error(encodeByReflection({ initializer: [{ name: 'w', ...tensor }] }));

  test('every cut of a file', () => {
    const bytes = encodeOnnx(model);
    for (let length = 0; length < bytes.length; length += 1) {
      const message = error(bytes.subarray(0, length));
      // Only metadata may be lost unnoticed.
      if (message === undefined) {
        expect(decodeOnnx(bytes.subarray(0, length), '').graph).toEqual(model.graph);
        expect(length).toBeGreaterThan(bytes.length - 40);
      } else {
        expect(message).toMatch(/^test\.onnx is cut off or not an ONNX file: /);
      }
    }
  });

  test('other files', () => {
    expect(error(new TextEncoder().encode('{"not": "a network"}'))).toMatch(
      /^test\.onnx is cut off or not an ONNX file: /,
    );
    expect(error(new Uint8Array(0))).toBe(
      'test.onnx is cut off or not an ONNX file: it holds no graph',
    );
    expect(error(encodeByReflection({}, { opsetImport: [] }))).toBe(
      'test.onnx is cut off or not an ONNX file: it names no operator set',
    );
  });

  test('constants outside the file, of the wrong type or length', () => {
    const external = { dims: [1], dataType: 1, dataLocation: 1 };
    expect(withTensor(external)).toBe(
      'test.onnx: initialiser "w" keeps its data in another file; save the model with its data inside one file',
    );
    for (const location of ['weights.bin', '../weights.bin', '/etc/passwd', '']) {
      const externalData = [{ key: 'location', value: location }];
      for (const dataLocation of [0, 1]) {
        expect(withTensor({ dims: [1], dataType: 1, dataLocation, externalData })).toMatch(
          /^test\.onnx: initialiser "w" keeps its data in another file; /,
        );
      }
    }
    expect(withTensor({ dims: [1], dataType: 16, int32Data: [0] })).toBe(
      'test.onnx: initialiser "w" has element type bfloat16; Bitcell reads floats of 16, 32 and 64 bits, integers of 8 to 64 bits and bool',
    );
    expect(withTensor({ dims: [2, 2], dataType: 3, int32Data: [1, 2, 3] })).toBe(
      'test.onnx: initialiser "w" has 3 values, but dimensions [2, 2]',
    );
    expect(withTensor({ dims: [1], dataType: 1, rawData: Buffer.alloc(5) })).toBe(
      'test.onnx: initialiser "w" has 5 bytes of data, not a multiple of 4',
    );
    expect(withTensor({ dims: [-1], dataType: 1 })).toBe(
      'test.onnx: initialiser "w" has impossible dimensions [-1]',
    );
  });

  test('an attribute given twice', () => {
    const attribute = [1, 2].map((i) => ({ name: 'group', type: 2, i }));
    expect(
      error(encodeByReflection({ node: [{ opType: 'Conv', output: ['y'], attribute }] })),
    ).toBe('test.onnx: node "y" (Conv) has the attribute "group" twice');
  });

  test('sizes from 2^53 on', () => {
    expect(withTensor({ dims: ['9007199254740992'], dataType: 1 })).toBe(
      'test.onnx: initialiser "w": a dimension is 9007199254740992, but integers must stay below 2^53',
    );
    const node = {
      opType: 'Conv',
      output: ['y'],
      attribute: [{ name: 'pads', type: 7, ints: [0, '9223372036854775806'] }],
    };
    expect(error(encodeByReflection({ node: [node] }))).toBe(
      'test.onnx: attribute "pads" of node "y" (Conv) is 9223372036854775806, but integers must stay below 2^53',
    );
  });
});

test('the committed reader and writer are what the schema generates', () => {
  const generated = mkdtempSync(join(tmpdir(), 'bitcell-'));
  execFileSync(process.execPath, [join(folder, 'generate-protobuf.js'), generated]);
  for (const file of ['onnx.js', 'onnx.d.ts']) {
    expect(readFileSync(join(generated, file), 'utf8')).toBe(
      readFileSync(join(folder, 'proto', file), 'utf8'),
    );
  }
});
