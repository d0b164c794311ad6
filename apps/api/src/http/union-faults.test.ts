import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { compileCheck } from './faults.ts';

const newAjv = () => new Ajv2020({ allErrors: true, verbose: true, strict: false, logger: false });

/** Lists the faults of a value as `pointer: detail`. */
function faultsOf(schema: object, value: unknown): string[] {
  const faults = compileCheck(newAjv(), schema, { prefix: '' })(value);
  return faults.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

test('a union within a union is told by the branch that was meant', () => {
  const Value: z.ZodType = z.lazy(() =>
    z.union([z.string(), z.object({ kind: z.literal('list'), items: z.array(Value) })]),
  );
  expect(
    faultsOf(z.toJSONSchema(Value), { kind: 'list', items: ['a', { kind: 'list', items: [5] }] }),
  ).toEqual(['/items/1/items/0: It must be a string or an object, not a number.']);
});

const one = z.union([z.int().min(200).max(599), z.enum(['2xx', '3xx'])]);
const Statuses = z.object({ expect: z.union([one, z.array(one).min(1)]).default('2xx') });

test.each([
  [100, '/expect: It must be 200 or more.'],
  ['200', '/expect: It must be one of "2xx" or "3xx".'],
  ['2XX', '/expect: It must be one of "2xx" or "3xx". Did you mean "2xx"?'],
  [true, '/expect: It must be an integer, a string or an array, not true.'],
  [[200, '6xx'], '/expect/1: It must be one of "2xx" or "3xx".'],
  [[200, null], '/expect/1: It must be an integer or a string, not null.'],
  [[], '/expect: It must have at least 1 item.'],
])('a union directly within a union is told as one: %j', (expect_, fault) => {
  expect(faultsOf(z.toJSONSchema(Statuses), { expect: expect_ })).toEqual([fault]);
});

const inner = (field: z.ZodType) =>
  z.discriminatedUnion('k', [
    z.object({ k: z.literal('x'), a: field }),
    z.object({ k: z.literal('y'), b: field }),
  ]);
const outer = (field: z.ZodType) =>
  z.discriminatedUnion('t', [
    z.object({ t: z.literal('a'), in: inner(field) }),
    z.object({ t: z.literal('b'), in: z.string() }),
  ]);

test.each([
  ['in a tagged union', { v: outer(z.number()) }, { t: 'a', in: { k: 'x', a: '1' } }],
  ['in a nullable one', { v: outer(z.number()).nullable() }, { t: 'a', in: { k: 'x', a: '1' } }],
  [
    'in the items of a branch',
    { v: z.union([z.array(inner(z.number())), z.string()]) },
    [{ k: 'x', a: '1' }],
  ],
  [
    'below an odd name',
    { v: z.union([z.null(), z.object({ 'a/b%c#d~é ': outer(z.number()) })]) },
    {
      'a/b%c#d~é ': { t: 'a', in: { k: 'x', a: '1' } },
    },
  ],
])('a tagged union %s is told by the field that is wrong', (_where, shape, v) => {
  const [fault, ...others] = faultsOf(z.toJSONSchema(z.object(shape as z.ZodRawShape)), { v });
  expect(others).toEqual([]);
  expect(fault).toMatch(/\/a: It must be a number, not a string\.$/);
});

test('a union of references, to the whole schema and to parts, is told by the branch that was meant', () => {
  const Node: z.ZodType = z.lazy(() => z.object({ value: z.int(), next: z.union([Node, z.null()]) }));
  const node = z.toJSONSchema(Node);
  expect(faultsOf(node, { value: 1, next: { value: 2, next: { value: 'x', next: null } } })).toEqual([
    '/next/next/value: It must be an integer, not a string.',
  ]);
  const schema = {
    $id: 'https://example.com/tree',
    type: 'object',
    $defs: {
      leaf: { anyOf: [{ $ref: '#/$defs/size' }, { type: 'null' }] },
      size: {
        anyOf: [
          { type: 'integer', minimum: 5 },
          { type: 'array', items: { $ref: '#/$defs/leaf' } },
        ],
      },
    },
    properties: { a: { anyOf: [{ $ref: '#/$defs/leaf' }, { $ref: '#' }] } },
  };
  expect(faultsOf(schema, { a: 4 })).toEqual(['/a: It must be 5 or more.']);
  expect(faultsOf(schema, { a: [[null, 3]] })).toEqual(['/a/0/1: It must be 5 or more.']);
});

test('a branch of another type is not what was meant, however much is wrong in one of the right type', () => {
  const Many = z.union([z.string(), z.array(z.object({ k: z.literal('x') }))]);
  const faults = faultsOf(z.toJSONSchema(Many), Array(1_500).fill({ k: 'y' }));
  expect(faults[0]).toBe('/0/k: It must be "x".');
  const Deep = z.union([
    z.object({ t: z.literal('a'), list: z.array(z.object({ k: z.literal('x') })) }),
    z.object({ t: z.literal('b'), text: z.string() }),
  ]);
  expect(faultsOf(z.toJSONSchema(Deep), { t: 'a', list: [{ k: 'y' }, { k: 'z' }] })).toEqual([
    '/list/0/k: It must be "x".',
    '/list/1/k: It must be "x".',
  ]);
});

test('a union is told as one, however many there are in what comes after it', () => {
  const Nested = z.array(
    z.union([z.string(), z.object({ in: z.array(z.union([z.string().min(1), z.null()])) })]),
  );
  expect(faultsOf(z.toJSONSchema(Nested), [{}, { in: Array(25).fill(5) }])).toContain(
    '/0/in: This field is required.',
  );
  expect(faultsOf(z.toJSONSchema(Nested), [{}, { in: Array(25).fill(5) }])).not.toContain(
    '/0: It must be a string, not an object.',
  );
});

test.each([
  ['by its literals', z.toJSONSchema(outer(z.number())), 't', '"a" or "b"'],
  ['in a nullable union', z.toJSONSchema(outer(z.number()).nullable()), 't', '"a" or "b"'],
  [
    'in a union of tagged unions',
    z.toJSONSchema(z.union([inner(z.null()), z.object({ k: z.literal('z'), c: z.null() })])),
    'k',
    '"x", "y" or "z"',
  ],
])(
  'what a union is told apart by is asked for before the fields of a branch: %s',
  (_how, schema, tag, tags) => {
    expect(faultsOf(schema, {})).toEqual([`/${tag}: This field is required, and must be one of ${tags}.`]);
  },
);

test('what has nothing to do with a union is told beside it', () => {
  const schema = {
    properties: { a: { type: 'string' }, b: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
    required: ['c'],
  };
  expect(faultsOf(schema, { a: 1, b: 1 })).toEqual([
    '/c: This field is required.',
    '/a: It must be a string, not a number.',
    '/b: It must be a string or null, not a number.',
  ]);
});

test('a union that is nested without end answers in good time', () => {
  const schema = {
    $ref: '#/$defs/n',
    $defs: { n: { anyOf: [{ type: 'string' }, { type: 'array', items: { $ref: '#/$defs/n' } }] } },
  };
  const check = compileCheck(newAjv(), schema, { prefix: '' });
  const value = JSON.parse(`${'['.repeat(60)}${Array(1_000).fill(5).join()}${']'.repeat(60)}`);
  const startedAt = performance.now();
  expect(check(value).length).toBeLessThanOrEqual(50);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
