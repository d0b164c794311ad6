import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { createDraw } from '../generate/draw.ts';
import { drawSchema } from './hostile-schemas.ts';

const drawn = (number: number) => drawSchema(createDraw(`schema 1 ${number}`));
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

test('schemas are of all kinds, and the same of the same seed', () => {
  const kinds = new Set(numbers(100).flatMap((number) => Object.keys(drawn(number).schema)));
  for (const keyword of [
    'pattern',
    'uniqueItems',
    'enum',
    'anyOf',
    'patternProperties',
    'items',
    'properties',
  ])
    expect(kinds).toContain(keyword);
  for (const number of numbers(10)) expect(drawn(number).schema).toEqual(drawn(number).schema);
});

test('schemas can be compiled, and have payloads that are JSON of about the size', () => {
  for (const number of numbers(10)) {
    const { schema, worst } = drawn(number);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    expect(() => ajv.compile(schema)).not.toThrow();
    expect(() => JSON.parse(worst(2_000))).not.toThrow();
    expect(worst(16_000).length).toBeLessThan(24_000);
  }
}, 60_000);
