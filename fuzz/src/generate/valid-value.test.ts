import { expect, test } from 'vitest';
import { z } from 'zod';
import type { NamedSchemas, Schema } from '../document/schema.ts';
import { createSchemaChecks } from '../judge/schema-checks.ts';
import { createDraw } from './draw.ts';
import { createMemory } from './known.ts';
import { drawValue } from './valid-value.ts';

const schemas: NamedSchemas = {
  Name: { type: 'string', minLength: 3, maxLength: 6, description: 'A name.' },
  Base: {
    type: 'object',
    properties: { type: { type: 'string' }, name: { $ref: '#/components/schemas/Name' } },
    required: ['type'],
    additionalProperties: false,
  },
};

const context = (seed: string) => ({
  draw: createDraw(seed),
  schemas,
  known: createMemory(),
  foreign: createMemory(),
  receiverUrl: 'http://127.0.0.1:1',
  now: new Date('2026-01-01T00:00:00Z'),
});

const SCHEMAS: [string, Schema][] = [
  [
    'bounds of numbers',
    {
      type: 'object',
      properties: {
        i: { type: 'integer', minimum: 3, maximum: 5 },
        x: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
      },
      required: ['i', 'x'],
    },
  ],
  [
    'a reference beside more',
    {
      allOf: [
        { $ref: '#/components/schemas/Base' },
        { type: 'object', properties: { type: { const: 'a' } }, required: ['name'] },
      ],
    },
  ],
  ['alternatives', { oneOf: [{ type: 'string', enum: ['a', 'b'] }, { type: 'integer' }, { type: 'null' }] }],
  ['a list', { type: 'array', items: { type: 'string', enum: ['a', 'b', 'c'] }, minItems: 1, maxItems: 3 }],
  [
    'formats',
    {
      type: 'array',
      items: {
        anyOf: [
          { type: 'string', format: 'date-time' },
          { type: 'string', format: 'uuid' },
          { type: 'string', format: 'uri' },
        ],
      },
    },
  ],
  ['a pattern', { type: 'string', pattern: '^[A-Z]{2}-\\d{1,4}$' }],
  ['any', {}],
  ['free fields', { type: 'object', patternProperties: { '^(.*)$': { type: 'integer' } } }],
  [
    'what zod makes of a tree',
    z.toJSONSchema(z.strictObject({ n: z.int().max(9), by: z.record(z.string(), z.number()) })) as Schema,
  ],
];

test.each(SCHEMAS)('values by a schema with %s are right by it', (_name, schema) => {
  const findFault = createSchemaChecks(schemas);
  const values = Array.from({ length: 200 }, (_, n) => drawValue(context(`${n}`), schema, { name: 'x' }));
  for (const value of values) expect([value, findFault(schema, value)]).toEqual([value, undefined]);
});

test('a schema that holds itself comes to an end', () => {
  const tree: Schema = {
    type: 'array',
    items: { $ref: '#/components/schemas/Tree' },
    minItems: 0,
    maxItems: 3,
  };
  for (let n = 0; n < 50; n += 1)
    drawValue({ ...context(`${n}`), schemas: { Tree: tree } }, tree, { name: 'x' });
});

test('the same seed gives the same value, whatever is known', () => {
  const schema: Schema = {
    type: 'object',
    properties: { id: { type: 'string', description: 'Of a job: `job_…`.' }, n: { type: 'integer' } },
    required: ['id', 'n'],
  };
  const knowing = context('seed');
  knowing.known.learnValue('job_', 'job_01m80wvd14etfbnycmvzp2r688');
  const [one, other] = [context('seed'), knowing].map(
    (each) => drawValue(each, schema, { name: 'x' }) as { n: number },
  );
  expect(one?.n).toBe(other?.n);
});
