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
