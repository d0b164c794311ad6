import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { KEYWORDS } from './describe-fault.ts';
import { compileCheck } from './faults.ts';
import { jsonBytesKeyword } from './json-bytes-keyword.ts';

function newAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    discriminator: true,
    strict: false,
    logger: false,
  });
  addFormats.default(ajv);
  ajv.addKeyword(jsonBytesKeyword);
  return ajv;
}

/** Lists the faults of a value as `pointer: detail`. */
function faultsOf(schema: object, value: unknown): string[] {
  return compileCheck(newAjv(), schema, { prefix: '' })(value).map(
    ({ pointer, detail }) => `${pointer}: ${detail}`,
  );
}

const PRIORITIES = { enum: ['critical', 'high', 'normal', 'low'] };
const SHAPES = {
  type: 'object',
  discriminator: { propertyName: 'kind' },
  oneOf: [
    { properties: { kind: { const: 'circle' }, radius: { type: 'number' } }, required: ['kind', 'radius'] },
    { properties: { kind: { const: 'square' }, side: { type: 'number' } }, required: ['kind', 'side'] },
  ],
  required: ['kind'],
};

/** One case for each keyword of draft 2020-12 that a value can break, and for `discriminator` of OpenAPI. */
// biome-ignore-start lint/suspicious/noThenProperty: this is the name of a keyword.
const CASES: [keyword: string, schema: object, value: unknown, faults: string[]][] = [
  ['type', { type: 'string' }, 5, [': It must be a string, not a number.']],
  [
    'type',
    { type: ['integer', 'null'] },
    1.5,
    [': It must be an integer or null, not a number with a fraction.'],
  ],
  ['type', { type: 'boolean' }, 'yes', [': It must be true or false, not a string.']],
  ['type', { type: 'object' }, [], [': It must be an object, not an array.']],
  ['type', { type: 'array' }, null, [': It must be an array, not null.']],
  [
    'enum',
    PRIORITIES,
    'norml',
    [': It must be one of "critical", "high", "normal" or "low". Did you mean "normal"?'],
  ],
  [
    'enum',
    { type: 'string', ...PRIORITIES },
    null,
    [': It must be one of "critical", "high", "normal" or "low".'],
  ],
  ['enum', { enum: [1, null] }, 2, [': It must be one of 1 or null.']],
  ['const', { const: 'v1' }, 'v2', [': It must be "v1".']],
  ['const', { type: 'string', const: 'v1' }, 5, [': It must be "v1".']],
  ['multipleOf', { multipleOf: 5 }, 7, [': It must be a multiple of 5.']],
  ['maximum', { maximum: 5 }, 7, [': It must be 5 or less.']],
  ['minimum', { minimum: 5 }, 4, [': It must be 5 or more.']],
  ['exclusiveMaximum', { exclusiveMaximum: 5 }, 5, [': It must be less than 5.']],
  ['exclusiveMinimum', { exclusiveMinimum: 5 }, 5, [': It must be more than 5.']],
  ['maxLength', { maxLength: 1 }, 'ab', [': It must have at most 1 character.']],
  ['minLength', { minLength: 2 }, 'a', [': It must have at least 2 characters.']],
  ['pattern', { pattern: '^[a-z]+$' }, '5', [': It must have the form of the regular expression ^[a-z]+$.']],
  [
    'pattern',
    { pattern: '^[a-z]+$', description: 'Lower-case letters' },
    '5',
    [': It does not have the form that is wanted: Lower-case letters.'],
  ],
  ['format', { format: 'email' }, 'x', [': It must be an e-mail address, such as ada@example.com.']],
  ['format', { format: 'date', pattern: '^\\d' }, 'x', [': It must be a date, such as 2026-11-22.']],
  ['maxItems', { maxItems: 1 }, [1, 2], [': It must have at most 1 item.']],
  ['minItems', { minItems: 2 }, [1], [': It must have at least 2 items.']],
  [
    'uniqueItems',
    { uniqueItems: true },
    ['a', 'b', 'a'],
    [': The items 0 and 2 are the same, and all must differ.'],
  ],
  ['items', { items: { type: 'string' } }, ['a', 5], ['/1: It must be a string, not a number.']],
  ['items', { prefixItems: [true], items: false }, [1, 2], [': It must have at most 1 item.']],
  ['prefixItems', { prefixItems: [{ type: 'string' }] }, [5], ['/0: It must be a string, not a number.']],
  [
    'unevaluatedItems',
    { prefixItems: [true], unevaluatedItems: false },
    [1, 2],
    [': It must have at most 1 item.'],
  ],
  [
    'contains',
    { contains: { type: 'string' } },
    [1, 2],
    [': It must have at least 1 item of the kind that this list needs.'],
  ],
  [
    'contains',
    { contains: { type: 'string', description: 'A name' }, minContains: 2 },
    ['a', 2],
    [': It must have at least 2 items of this kind: A name.'],
  ],
  [
    'contains',
    { contains: { const: 1 }, minContains: 1, maxContains: 2 },
    [1, 1, 1],
    [': It must have from 1 to 2 items of the kind that this list needs.'],
  ],
  ['maxProperties', { maxProperties: 1 }, { a: 1, b: 1 }, [': It must have at most 1 field.']],
  ['minProperties', { minProperties: 1 }, {}, [': It must have at least 1 field.']],
  ['required', { required: ['a/b'] }, {}, ['/a~1b: This field is required.']],
  [
    'dependentRequired',
    { dependentRequired: { a: ['b'] } },
    { a: 1 },
    ['/b: This field is required when `a` is given.'],
  ],
  [
    'dependencies',
    { dependencies: { a: ['b'] } },
    { a: 1 },
    ['/b: This field is required when `a` is given.'],
  ],
  [
    'dependentSchemas',
    { dependentSchemas: { a: { required: ['b'] } } },
    { a: 1 },
    ['/b: This field is required.'],
  ],
  ['properties', { properties: { a: { type: 'null' } } }, { a: 1 }, ['/a: It must be null, not a number.']],
  [
    'patternProperties',
    { patternProperties: { '^x': { type: 'null' } } },
    { xy: 1 },
    ['/xy: It must be null, not a number.'],
  ],
  [
    'additionalProperties',
    { additionalProperties: { type: 'null' } },
    { a: 1 },
    ['/a: It must be null, not a number.'],
  ],
  [
    'additionalProperties',
    { properties: { jitter: true, delayMs: true }, additionalProperties: false },
    { jiter: 1, x: 1 },
    [
      '/jiter: There is no such field. Did you mean `jitter`?',
      '/x: There is no such field; there are `jitter` and `delayMs`.',
    ],
  ],
  ['additionalProperties', { additionalProperties: false }, { a: 1 }, ['/a: There is no such field.']],
  [
    'unevaluatedProperties',
    { properties: { tags: true }, unevaluatedProperties: false },
    { tag: 1 },
    ['/tag: There is no such field. Did you mean `tags`?'],
  ],
  [
    'propertyNames',
    { propertyNames: { pattern: '^[a-z]+$' } },
    { 'a-b': 1 },
    ['/a-b: A field of this name is not allowed.'],
  ],
  [
    'allOf',
    { allOf: [{ type: 'string' }, { minLength: 2 }] },
    'a',
    [': It must have at least 2 characters.'],
  ],
  ['if', { if: { required: ['a'] }, then: { required: ['b'] } }, { a: 1 }, ['/b: This field is required.']],
  ['then', { if: true, then: { type: 'string' } }, 5, [': It must be a string, not a number.']],
  ['else', { if: false, else: { type: 'string' } }, 5, [': It must be a string, not a number.']],
  ['not', { not: { const: 0 } }, 0, [': It must be something else than 0.']],
  ['not', { not: { enum: ['a', 'b'] } }, 'a', [': It must be something else than "a" or "b".']],
  ['not', { not: { type: 'string' } }, 'a', [': It must be something else than a string.']],
  [
    'not',
    { not: { minLength: 1, description: 'A name' } },
    'a',
    [': It must be something else than this: A name.'],
  ],
  ['not', { not: { required: ['a'] } }, { a: 1 }, [': It is one of the values that are ruled out here.']],
  [
    'anyOf',
    { anyOf: [{ type: 'string' }, { type: 'null' }] },
    5,
    [': It must be a string or null, not a number.'],
  ],
  [
    'anyOf',
    { anyOf: [{ type: 'string', minLength: 3 }, { type: 'null' }] },
    'ab',
    [': It must have at least 3 characters.'],
  ],
  ['anyOf', { anyOf: [{ const: 'a' }, { enum: ['b', 'c'] }] }, 'd', [': It must be one of "a", "b" or "c".']],
  [
    'anyOf',
    {
      properties: { a: { anyOf: [{ $ref: '#/$defs/s' }, { type: 'array', items: { $ref: '#/$defs/s' } }] } },
      $defs: { s: { type: 'string' } },
    },
    { a: [5] },
    ['/a/0: It must be a string, not a number.'],
  ],
  ['anyOf', { anyOf: [false, false] }, 5, [': Nothing may be given here.']],
  [
    'oneOf',
    { oneOf: [{ minimum: 1 }, { maximum: 5 }] },
    3,
    [': It fits more than one of the forms that are possible here, and must fit only one.'],
  ],
  [
    'oneOf',
    z.toJSONSchema(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('circle'), radius: z.number() }),
        z.object({ kind: z.literal('square'), side: z.number() }),
      ]),
    ),
    { kind: 'circle' },
    ['/radius: This field is required.'],
  ],
  [
    'oneOf',
    z.toJSONSchema(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('circle') }),
        z.object({ kind: z.literal('square') }),
      ]),
    ),
    { kind: 'sqare' },
    ['/kind: It must be one of "circle" or "square". Did you mean "square"?'],
  ],
  [
    'discriminator',
    SHAPES,
    { kind: 'cirle' },
    ['/kind: It must be one of "circle" or "square". Did you mean "circle"?'],
  ],
  ['discriminator', SHAPES, { kind: 5 }, ['/kind: It must be one of "circle" or "square".']],
  ['discriminator', SHAPES, {}, ['/kind: This field is required, and must be one of "circle" or "square".']],
  ['discriminator', SHAPES, { kind: 'circle' }, ['/radius: This field is required.']],
  ['x-max-json-bytes', { 'x-max-json-bytes': 9 }, { a: 'long' }, [': It may take at most 9 bytes as JSON.']],
  ['false schema', { properties: { a: false } }, { a: 1 }, ['/a: Nothing may be given here.']],
  [
    '$ref',
    { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
    5,
    [': It must be a string, not a number.'],
  ],
  [
    '$dynamicRef',
    { $dynamicAnchor: 'n', properties: { next: { $dynamicRef: '#n' }, value: { type: 'string' } } },
    { next: { value: 5 } },
    ['/next/value: It must be a string, not a number.'],
  ],
];
// biome-ignore-end lint/suspicious/noThenProperty: this is the name of a keyword.

describe('every keyword is told as a sentence about the value', () => {
  test.each(CASES)('%s %j', (_keyword, schema, value, faults) => {
    expect(faultsOf(schema, value)).toEqual(faults);
  });

  test('there is a case for every keyword that Ajv knows and a value can break', () => {
    const { rules } = newAjv().RULES as unknown as { rules: { rules: { keyword: string }[] }[] };
    const known = rules.flatMap((group) => group.rules.map(({ keyword }) => keyword));
    // They say what others mean, or are told by them; those of formats and `nullable` are no part of JSON Schema.
    const silent =
      /^(\$?id|\$(anchor|comment|defs|dynamicAnchor|recursive\w+)|definitions|thenElse|m\w+Contains|format\w+|nullable)$/;
    const tested = new Set(CASES.map(([keyword]) => keyword));
    expect(known.length).toBeGreaterThan(25);
    expect(known.filter((keyword) => !tested.has(keyword) && !silent.test(keyword))).toEqual([]);
    expect(
      Object.keys(KEYWORDS).filter((keyword) => !tested.has(keyword) && keyword !== 'additionalItems'),
    ).toEqual([]);
  });
});

test('of a value that comes as text it is not told that it is a string', () => {
  const check = compileCheck(
    newAjv(),
    { properties: { limit: { type: 'integer' } } },
    { prefix: '/query', isText: true },
  );
  expect(check({ limit: 'ten' })).toEqual([{ pointer: '/query/limit', detail: 'It must be an integer.' }]);
});
