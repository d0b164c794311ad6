import { expect, test } from 'vitest';
import type { Operation } from '../document/api-document.ts';
import { createBodyCheck } from './breaks-body.ts';
import { createSchemaChecks } from './schema-checks.ts';

const schemas = { Thing: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } };
const breaksBody = createBodyCheck(createSchemaChecks(schemas));
const operation = (isRequired: boolean): Operation => ({
  id: 'makeThing',
  method: 'POST',
  path: '/things',
  needsKey: true,
  scope: undefined,
  orScope: undefined,
  parameters: [],
  body: { schema: { $ref: '#/components/schemas/Thing' }, isRequired },
  responses: {},
});

test.each([
  ['{"n":1}', false],
  ['\uFEFF{"n":1}', false],
  ['{"n":1.5}', true],
  ['{"n":1', true],
  ['{}', true],
  ['', true],
])('a body %j is broken: %s', (text, isBroken) => {
  expect(breaksBody(operation(true), Buffer.from(text))).toBe(isBroken);
});

test('none is right where it may be left out', () => {
  expect(breaksBody(operation(false), Buffer.alloc(0))).toBe(false);
  expect(breaksBody({ ...operation(false), body: undefined }, Buffer.from('{'))).toBe(false);
});

test('what is no UTF-8 is broken', () => {
  expect(breaksBody(operation(true), Buffer.from([0x7b, 0xc3, 0x28, 0x7d]))).toBe(true);
});
