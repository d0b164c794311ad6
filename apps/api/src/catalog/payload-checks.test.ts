import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createPayloadChecks, type KnownJobType } from './payload-checks.ts';

function makeChecks() {
  const broken: string[] = [];
  const checks = createPayloadChecks({ onBrokenSchema: (type) => broken.push(type) });
  const known = (payloadSchema: object, type = 'x', others: CatalogType['otherSchemas'] = []) => {
    const row = { type, payloadSchema, otherSchemas: others } as unknown as CatalogType;
    return checks.compile([row]).get(type) as KnownJobType;
  };
  return { known, broken };
}

test('the JSON Schema that zod writes is checked, with all faults at their place', () => {
  const schema = z.strictObject({
    url: z.url(),
    size: z.int().min(1),
    mode: z.enum(['fit', 'fill']),
    at: z.iso.datetime(),
  });
  const { findPayloadFaults } = makeChecks().known(z.toJSONSchema(schema));

  expect(
    findPayloadFaults({ url: 'https://a.example', size: 1, mode: 'fit', at: '2026-01-01T00:00:00Z' }),
  ).toEqual([]);
  const pointers = findPayloadFaults({ url: 'no', size: 0, mode: 'x', extra: 1 }).map(
    ({ pointer }) => pointer,
  );
  expect(new Set(pointers)).toEqual(
    new Set(['/payload/url', '/payload/size', '/payload/mode', '/payload/at', '/payload/extra']),
  );
});

test('a schema that cannot be compiled is reported once and lets the worker decide', () => {
  const { known, broken } = makeChecks();
  const schema = { type: 'nonsense' };
  expect(known(schema).findPayloadFaults({})).toEqual([]);
  known(schema);
  expect(broken).toEqual(['x']);
});

test('a schema is told of once for as long as it stays the same', () => {
  const told: object[] = [];
  const checks = createPayloadChecks({
    onBrokenSchema: () => undefined,
    onNewSchema: (_type, schema) => told.push(schema),
  });
  const schemas = [{ maxLength: 1 }, { maxLength: 1 }, { maxLength: 2 }];
  for (const payloadSchema of schemas)
    checks.compile([{ type: 'x', payloadSchema, otherSchemas: [] } as unknown as CatalogType]);
  expect(told).toEqual([{ maxLength: 1 }, { maxLength: 2 }]);
});

test('a schema is compiled anew when it changes, and two types may share an $id', () => {
  const { known, broken } = makeChecks();
  expect(known({ $id: 'https://a.example/s', type: 'string' }).findPayloadFaults(1)).toHaveLength(1);
  expect(known({ $id: 'https://a.example/s', type: 'number' }).findPayloadFaults(1)).toEqual([]);
  expect(known({ $id: 'https://a.example/s', type: 'number' }, 'y').findPayloadFaults(1)).toEqual([]);
  expect(broken).toEqual([]);
});

test('the schemas of other builds that refuse a payload are named, but for those that cannot be compiled', () => {
  const { known } = makeChecks();
  const others = [
    { id: 'strict', payloadSchema: { type: 'object', additionalProperties: false } },
    { id: 'open', payloadSchema: { type: 'object' } },
    { id: 'broken', payloadSchema: { type: 'nonsense' } },
  ];
  expect(known({}, 'x', others).refusingSchemas({ a: 1 })).toEqual(['strict']);
  expect(known({}, 'x', others).refusingSchemas({})).toEqual([]);
});

test('a schema with patterns is quick once that is known, and one without at once', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const checks = createPayloadChecks({ onBrokenSchema: () => undefined, isQuick: () => promise });
  const known = (payloadSchema: object) =>
    checks.compile([{ type: 'x', payloadSchema, otherSchemas: [] } as unknown as CatalogType]).get('x');
  expect(known({ type: 'object' })?.isQuick).toBe(true);
  expect(known({ uniqueItems: true })?.isQuick).toBe(false);
  const withPattern = known({ pattern: '^a$' });
  expect(withPattern?.isQuick).toBe(false);
  resolve(true);
  await promise;
  expect(withPattern?.isQuick).toBe(true);
});
