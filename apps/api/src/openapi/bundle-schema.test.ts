import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bundleSchema } from './bundle-schema.ts';
import { createComponentNames } from './component-names.ts';
import type { Schema } from './schema-keywords.ts';

type Components = Record<string, object>;

const bundle = (schema: unknown) =>
  bundleSchema('Payload.x', schema as Schema, createComponentNames(['Payload.x']));

/** Checks values as a reader of the OpenAPI document would: knowing the components, and nothing of the schema before. */
function accepts(components: Components, value: unknown): boolean {
  const ajv = new Ajv2020({ strict: false, logger: false });
  ajv.addSchema({ components: { schemas: components } }, 'document');
  return ajv.validate({ $ref: 'document#/components/schemas/Payload.x' }, value);
}

function referencesOf(components: Components): string[] {
  return [...JSON.stringify(components).matchAll(/"\$(?:dynamic)?[rR]ef":"([^"]*)"/g)].map(
    ([, ref]) => ref ?? '',
  );
}

const TREE = { value: 1, children: [{ value: 2, children: [] }] };
const BROKEN_TREE = { value: 1, children: [{ value: 'two', children: [] }] };
const node = (reference: object) => ({
  type: 'object',
  properties: { value: { type: 'number' }, children: { type: 'array', items: reference } },
  required: ['value', 'children'],
});
const Category = z.object({
  value: z.number(),
  get children() {
    return z.array(Category);
  },
});

describe('a schema means the same among the components as it did before', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['that refers to itself as #', node({ $ref: '#' }), TREE, BROKEN_TREE],
    ['of zod that is recursive', z.toJSONSchema(Category), TREE, BROKEN_TREE],
    ['with an $id of its own', { $id: 'https://a.test/n', ...node({ $ref: '#' }) }, TREE, BROKEN_TREE],
    ['with a URN as its $id', { $id: 'urn:uuid:7', ...node({ $ref: '#' }) }, TREE, BROKEN_TREE],
    ['that names itself by its $id', { $id: 'https://a.test/n', ...node({ $ref: 'n' }) }, TREE, BROKEN_TREE],
    ['with an $anchor', { $anchor: 'me', ...node({ $ref: '#me' }) }, TREE, BROKEN_TREE],
    ['with a $dynamicAnchor', { $dynamicAnchor: 'n', ...node({ $dynamicRef: '#n' }) }, TREE, BROKEN_TREE],
    [
      'that is extended over a $dynamicAnchor',
      {
        $dynamicAnchor: 'n',
        $ref: 'tree',
        properties: { value: { type: 'string' } },
        $defs: {
          tree: {
            $id: 'tree',
            $dynamicAnchor: 'n',
            properties: { children: { items: { $dynamicRef: '#n' } } },
          },
        },
      },
      { children: [{ value: 'text' }] },
      { children: [{ value: 5 }] },
    ],
    [
      'with $defs',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { type: 'string' } } },
      'text',
      5,
    ],
    ['with definitions', { $ref: '#/definitions/a', definitions: { a: { type: 'string' } } }, 'text', 5],
    [
      'with a reference to a place that is in force',
      { properties: { a: { type: 'string' }, b: { $ref: '#/properties/a' } } },
      { b: 'x' },
      { b: 5 },
    ],
    [
      'with something beside its $ref',
      { $ref: '#/$defs/a', minLength: 3, $defs: { a: { type: 'string' } } },
      'abc',
      'ab',
    ],
    [
      'with names that need escapes',
      { $ref: '#/$defs/a~1b%20c%25', $defs: { 'a/b c%': { type: 'string' } } },
      'text',
      5,
    ],
    [
      'with a definition called __proto__',
      JSON.parse('{"$ref":"#/$defs/__proto__","$defs":{"__proto__":{"type":"string"}}}'),
      'text',
      5,
    ],
    [
      'with a definition that is false',
      { properties: { a: { $ref: '#/$defs/no' } }, $defs: { no: false } },
      {},
      { a: 1 },
    ],
    [
      'with resources that have the same names',
      {
        properties: { a: { $ref: 'one#/$defs/x' }, b: { $ref: 'two#/$defs/x' } },
        $defs: {
          one: { $id: 'one', $defs: { x: { type: 'string' } } },
          two: { $id: 'two', $defs: { x: { type: 'number' } } },
        },
      },
      { a: 'x', b: 1 },
      { a: 'x', b: 'x' },
    ],
    [
      'with booleans',
      { properties: { any: true, none: false }, additionalProperties: false },
      { any: 1 },
      { none: 1 },
    ],
    ['that is true', true, 5, undefined],
    ['that is false', false, undefined, 5],
  ])('one %s', (_name, schema, right, wrong) => {
    const components = bundle(schema);
    if (right !== undefined) expect(accepts(components, right)).toBe(true);
    if (wrong !== undefined) expect(accepts(components, wrong)).toBe(false);
    for (const reference of referencesOf(components)) {
      expect(Object.keys(components)).toContain(reference.replace('#/components/schemas/', ''));
    }
    expect(JSON.stringify(components)).not.toMatch(/"\$(id|anchor|dynamicAnchor|dynamicRef|defs|schema)"/);
  });
});

describe('what nobody who reads OpenAPI could follow is left open', () => {
  test.each([
    ['a reference that leads out', { $ref: 'https://elsewhere.test/schema' }],
    ['a reference to nothing', { $ref: '#/$defs/none' }],
    ['a reference to itself', { $ref: '#' }],
  ])('%s', (_name, schema) => {
    expect(bundle(schema)['Payload.x']).toEqual({});
  });

  test.each([
    [
      'a circle of references',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    ],
    [
      'a list of itself',
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ type: 'string' }, { items: { $ref: '#/$defs/a' } }] } } },
    ],
  ])('%s, of which TypeScript can make no type', (_name, schema) => {
    const components = bundle(schema);
    expect(accepts(components, [[['text']]])).toBe(true);
    const { 'Payload.x': _root, ...others } = components;
    for (const component of Object.values(others)) expect(referencesOf({ component })).toEqual([]);
  });

  test('a field called __proto__, which no request can have', () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"type":"string"},"a":true}}');
    expect(bundle(schema)['Payload.x']).toEqual({ properties: { a: {} } });
  });

  test('a default that looks like a reference, and words that are no keywords', () => {
    const schema = {
      default: [{ $ref: '#/x' }],
      properties: { $ref: { type: 'string' } },
      discriminator: 5,
      'x-a': 1,
    };
    expect(bundle(schema)['Payload.x']).toEqual({ properties: { $ref: { type: 'string' } } });
  });
});

test('names of components are unlike each other as identifiers too', () => {
  const names = createComponentNames(['Job']);
  const wishes = ['Payload.a-b', 'Payload.a.b', 'Payload.a_b', 'job', 'Payload.ä', 'Payload.constructor'];
  expect(wishes.map((wish) => names.take(wish))).toEqual([
    'Payload.a-b',
    'Payload.a.b.v2',
    'Payload.a_b.v3',
    'job.v2',
    'Payload._',
    'Payload.constructor',
  ]);
});

test('whatever a schema is made of, all references among the components lead somewhere', () => {
  const { schema } = fc.letrec((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small' },
      fc.boolean(),
      fc.record({
        $ref: fc.constantFrom('#', '#/$defs/a', '#a', '#/properties/a', 'r', 'r#/$defs/a', '#/%'),
      }),
      fc.record(
        {
          $id: fc.constantFrom('r', 's'),
          $anchor: fc.constantFrom('a', 'b'),
          $dynamicAnchor: fc.constant('a'),
          $dynamicRef: fc.constant('#a'),
          type: fc.constantFrom('object', 'string'),
          properties: fc.dictionary(fc.constantFrom('a', '__proto__', '$ref'), tie('schema'), {
            noNullPrototype: true,
          }),
          items: tie('schema'),
          anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
          $defs: fc.dictionary(fc.constantFrom('a', '__proto__'), tie('schema'), { noNullPrototype: true }),
        },
        { requiredKeys: [] },
      ),
    ),
  }));
  fc.assert(
    fc.property(schema, (given) => {
      const components = bundle(JSON.parse(JSON.stringify(given)));
      for (const reference of referencesOf(components)) {
        expect(Object.keys(components)).toContain(reference.replace('#/components/schemas/', ''));
      }
    }),
  );
});
