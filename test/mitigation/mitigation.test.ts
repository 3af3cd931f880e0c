import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  activationSideOf,
  CLIP_POSITIONS,
  CLIP_USES,
  GRANULARITIES,
  MECHANISMS,
  type Mitigation,
  mitigationInput,
  NO_MITIGATION,
  parseMitigation,
  type Thresholds,
  withoutDefaults,
} from '../../mitigation/index.js';
import { smallNetwork } from '../campaign/small-network.js';

const layerNames = fc.oneof(
  fc.constantFrom('conv1', 'fc2', '/features/conv.1', 'a+b', 'x=1:2', '50%', 'été', ' ', ','),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
);

/** A clip as a user may give it, without a file. */
const clips = fc
  .tuple(
    fc.constantFrom(...CLIP_USES),
    fc.option(fc.constantFrom(...GRANULARITIES), { nil: undefined }),
    fc.option(fc.constantFrom(...CLIP_POSITIONS), { nil: undefined }),
    fc.option(fc.uniqueArray(layerNames, { minLength: 1, maxLength: 4 }), { nil: undefined }),
  )
  .map(([use, granularity, position, layers]) => ({
    use,
    ...(granularity && use !== 'clip-tuned' && { granularity }),
    ...(position && { position }),
    ...(layers && { layers }),
  }));

/** A part in the memory as a user may give it: every mechanism in a place, some with parameters of their own. */
const inMemory = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...Object.keys(MECHANISMS)).map((use) => ({ use })),
      fc.record({ use: fc.constant('secded'), dataBits: fc.constantFrom(16, 32, 64) }),
      fc.record({ use: fc.constant('bch-dec'), onDetect: fc.constantFrom('keep', 'zero') }),
      fc.record({ use: fc.constant('parity'), interleaved: fc.boolean(), bits: fc.nat(15) }),
      fc.record({ use: fc.constant('rotate'), by: fc.constantFrom('data', 'position') }),
      fc.record({
        use: fc.constant('harden'),
        bits: fc.uniqueArray(fc.nat(31), { minLength: 1, maxLength: 4 }),
      }),
    ),
    fc.option(fc.uniqueArray(layerNames, { minLength: 1, maxLength: 4 }), { nil: undefined }),
    fc.option(fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 }), { nil: undefined }),
  )
  .map(([part, layers, banks]) => ({
    ...part,
    ...('bits' in part && part.use === 'parity' && { bits: Number(part.bits) + 1 }),
    ...(layers && { layers }),
    ...(banks && { banks }),
  }));

const parts: fc.Arbitrary<{ readonly layers?: string[] }> = fc.oneof(clips, inMemory);

const names = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 })
  .map((text) => `my ${text}`.replaceAll(',', ' ').trim());

const named = fc.record({
  name: names,
  parts: fc.array(
    clips.chain((part) =>
      fc
        .option(fc.constantFrom('t.json', '../a b.json'), { nil: undefined })
        .map((thresholds) => ({ ...part, ...(thresholds && { thresholds }) })),
    ),
    { maxLength: 1 },
  ),
});

describe('a mitigation', () => {
  property.prop([parts])('is named by words that read back to it', (part) => {
    const mitigation = parseMitigation(part);
    expect(parseMitigation(mitigation.name)).toEqual(mitigation);
    expect(mitigation.name).toMatch(/^[^\s,]+$/);
  });

  property.prop([fc.oneof(parts, named, fc.constantFrom(...CLIP_USES, 'none'))])(
    'reads back from what it is written as, as a value and as JSON',
    (input) => {
      const mitigation = parseMitigation(input);
      for (const written of [mitigation, mitigationInput(mitigation)]) {
        expect(parseMitigation(JSON.parse(JSON.stringify(written)))).toEqual(mitigation);
      }
    },
  );

  property.prop([parts, fc.infiniteStream(fc.nat())])(
    'does not depend on the order of its parameters and layers',
    (part, places) => {
      const shuffle = <T>(values: readonly T[]) =>
        values
          .map((value) => ({ value, place: places.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ value }) => value);
      const { layers, ...rest } = part;
      const shuffled = { ...rest, ...(layers && { layers: shuffle(layers) }) };
      expect(parseMitigation(Object.fromEntries(shuffle(Object.entries(shuffled))))).toEqual(
        parseMitigation(part),
      );
    },
  );

  property.prop([parts, fc.constantFrom(...CLIP_POSITIONS)])(
    'does not say what the study says',
    (part, position) => {
      const defaults = { position, granularity: 'channel' } as const;
      const plain = withoutDefaults(parseMitigation(part), defaults);
      expect(parseMitigation(plain.name)).toEqual(plain);
      expect(plain.name).not.toContain(`position=${position}`);
      expect(plain.name).not.toContain('granularity=channel');
    },
  );

  test.each([
    ['none', NO_MITIGATION],
    ['clip', { name: 'clip', parts: [{ use: 'clip' }] }],
    [
      { use: 'clip', position: 'requantised', granularity: 'neuron' },
      'clip:granularity=neuron:position=requantised',
    ],
    ['clamp:layers=fc2/conv1', 'clamp:layers=conv1/fc2'],
    ['harden:bits=6/7', 'harden:bits=7/6'],
    ['secded:dataBits=64:onDetect=zero', 'secded:onDetect=zero'],
    ['rotate:by=position', 'rotate'],
    [{ use: 'parity', bits: 1, interleaved: false, group: 'word' }, 'parity'],
    [
      'clip+range-check+rotate:by=data+secded:dataBits=32',
      'secded:dataBits=32+rotate:by=data+range-check+clip',
    ],
    [{ name: 'shield', parts: ['clip', { use: 'secded', onDetect: 'zero' }] }, 'shield'],
    [{ use: 'clip', layers: ['a/b', 'c d'] }, 'clip:layers=a%2fb/c%20d'],
    [{ name: 'mine', parts: ['clip:position=requantised'] }, 'mine'],
    [{ name: 'clip', parts: [{ use: 'clip' }] }, 'clip'],
    [{ name: 'nothing at all', parts: [] }, 'nothing at all'],
  ])('reads %j', (input, expected) => {
    const found = parseMitigation(input);
    if (typeof expected === 'string') expect(found.name).toBe(expected);
    else expect(found).toEqual(expected);
  });

  test.each([
    ['clipp', 'unknown mitigation "clipp" (did you mean "clip"?)'],
    [7, 'expected a word such as clip'],
    ['clip+clamp', 'clip and clamp cannot stand together: there is one activation unit'],
    ['clip+clip:layers=fc1', 'clip and clip:layers=fc1 cannot stand together'],
    ['secded+bch-dec', 'secded and bch-dec cannot stand together: a memory word is encoded once'],
    ['rotate+invert', 'rotate and invert cannot stand together: a memory word is written in one'],
    [
      'tmr+harden',
      'harden and tmr cannot stand together: the bits of a weight are guarded in one way',
    ],
    ['secded:dataBits=48', 'secded: dataBits = 48: expected 16, 32 or 64'],
    ['secded:dataBits=many', 'secded: dataBits = "many": expected 16, 32 or 64'],
    ['parity:interleaved=yes', 'parity: interleaved = "yes": '],
    ['harden:bits=7/7', 'expected each bit once'],
    [{ name: 'both', parts: ['clip', { use: 'clamp' }] }, 'clip and clamp cannot stand together'],
    ['none+clip', 'none stands alone'],
    ['clip:granularity', 'clip: "granularity" is no parameter: expected NAME=VALUE'],
    ['clip:granularty=neuron', 'clip has no parameter "granularty" (did you mean "granularity"?)'],
    ['clip:granularity=neurons', 'clip: granularity = "neurons": '],
    ['clip:granularity=neuron:granularity=layer', 'clip: granularity is given twice'],
    ['clip:layers=fc1/fc1', 'expected each layer once'],
    ['clip:layers=', 'clip: layers.0 = '],
    ['clip:layers=%zz', '"%zz": expected %XX of UTF-8 only'],
    ['clip:thresholds=t.json', 'clip: thresholds names a file, which a study file alone can'],
    ['clip-tuned:granularity=neuron', 'tuned thresholds are as fine as their search made them'],
    [{ use: 'clip', thresholds: 't.json' }, 'a part with a file of its own needs a name'],
    [
      { name: 'clip', parts: [{ use: 'clamp' }] },
      'name = "clip" reads as a mitigation that it is not',
    ],
    [{ name: 'none', parts: ['clip'] }, 'name = "none" reads as a mitigation that it is not'],
    [{ name: 'clip:x', parts: ['clip'] }, 'reads as a mitigation that it is not'],
    [{ name: 'a,b', parts: ['clip'] }, 'name = "a,b": expected a printable text without commas'],
    [{ name: '', parts: ['clip'] }, 'name = "": expected a printable text'],
    [{ name: 'a\u001b[31m', parts: [] }, 'expected a printable text'],
    [{ name: 'x'.repeat(81), parts: ['clip'] }, 'expected at most 80'],
    [{ name: 'mine' }, 'parts = undefined: expected a list of parts'],
    [{ name: 'mine', parts: [], more: 1 }, 'unknown key "more" beside name and parts'],
    [{ name: 'mine', parts: [3] }, 'part 3: expected'],
    [{ use: 'clip', layers: 'fc1' }, 'clip: layers = "fc1": '],
    [{ use: 'clip', layers: ['\ud800'] }, 'expected well-formed Unicode'],
    ['clip+'.repeat(2000), 'expected at most 4096'],
    [{ use: 'toString' }, 'unknown mitigation "toString"'],
  ])('refuses %j', (input, message) => {
    expect(() => parseMitigation(input)).toThrow(message);
  });
});

describe('the activation side of a mitigation', () => {
  const network = smallNetwork();
  const layers = network.layers.flatMap((layer) => (layer.kind === 'convolution' ? [layer] : []));
  const [first, second] = layers.map(({ name }) => name);
  const all = {
    format: 'bitcell-thresholds',
    version: 1,
    network: { name: network.name, checksum: network.checksum },
    found: { method: 'profile-maximum', images: 1 },
    int8: Object.fromEntries(
      layers.map(({ name, shape }) => [name, new Array<number>(shape.output.channels).fill(5)]),
    ),
  } as const satisfies Thresholds;
  const sideOf = (input: unknown) =>
    activationSideOf(
      parseMitigation(input),
      network,
      () => ({ thresholds: all, where: 'T.json' }),
      {
        position: 'accumulator',
      },
    );

  test('is nothing for none', () => {
    expect(sideOf('none')).toBeUndefined();
  });

  test('has the layers that the part names, at their thresholds', () => {
    expect([...(sideOf('clip')?.thresholds.keys() ?? [])]).toEqual([first, second]);
    const side = sideOf({ use: 'clamp', layers: [second], position: 'requantised' });
    expect(side).toEqual({
      use: 'clamp',
      position: 'requantised',
      thresholds: new Map([[second, all.int8[second]]]),
    });
  });

  test('asks for the thresholds of the part', () => {
    const asked: unknown[] = [];
    const find = (request: unknown) => {
      asked.push(request);
      return { thresholds: all, where: 'T.json' };
    };
    const defaults = { granularity: 'channel', position: 'accumulator' } as const;
    const mine: Mitigation = parseMitigation({
      name: 'mine',
      parts: [{ use: 'clip', granularity: 'layer', thresholds: 'mine.json' }],
    });
    activationSideOf(parseMitigation('clip'), network, find, defaults);
    activationSideOf(mine, network, find, defaults);
    expect(asked).toEqual([
      { file: undefined, granularity: 'channel' },
      { file: 'mine.json', granularity: 'layer' },
    ]);
  });

  test('names a layer that is not there, or that has no thresholds', () => {
    expect(() => sideOf({ use: 'clip', layers: [`${first}x`] })).toThrow(
      `has no layer "${first}x" with weights (did you mean "${first}"?)`,
    );
    const last = network.layers.at(-1)?.name;
    expect(() => sideOf({ use: 'clip', layers: [last] })).toThrow(
      `there are no thresholds for layer "${last}"`,
    );
  });
});
