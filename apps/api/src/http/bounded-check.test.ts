import { createSchemaCompiler } from '@accepted/shared/contract/compile-schema';
import { expect, test } from 'vitest';
import { boundedCheck } from './bounded-check.ts';
import { compileCheck } from './faults.ts';

const schema = {
  properties: {
    tags: { type: 'array', maxItems: 1_000_000, items: { type: 'string' } },
    n: { type: 'integer' },
  },
  additionalProperties: false,
};
const compile = (allErrors: boolean) =>
  compileCheck(createSchemaCompiler(schema, { allErrors }), schema, { prefix: '' });
const check = boundedCheck(compile(false), () => compile(true));

test('a small value is told all its faults, a large one the first', () => {
  const pointers = (value: unknown) => check(value).map(({ pointer }) => pointer);
  expect(pointers({ tags: [1, 'a', 2], n: 'x' })).toEqual(['/tags/0', '/tags/2', '/n']);
  expect(pointers({ tags: [1, ...Array(600).fill('a'), 2], n: 'x' })).toEqual(['/tags/0']);
  expect(pointers({ tags: Array(600).fill('a'), n: 1 })).toEqual([]);
});

test('what is wrong in hundreds of thousands of places costs no more than what is right', () => {
  const wrong = { tags: Array.from({ length: 350_000 }, () => ({})) };
  const right = { tags: Array.from({ length: 350_000 }, () => '') };
  const once = (value: unknown) => {
    const startedAt = performance.now();
    check(value);
    return performance.now() - startedAt;
  };
  // The shortest of several: a collection of garbage is not what is compared.
  const timeOf = (value: unknown) => Math.min(...Array.from({ length: 5 }, () => once(value)));
  expect(timeOf(wrong)).toBeLessThan(timeOf(right) + 5);
});
