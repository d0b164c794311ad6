import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configSchema as api } from '../apps/api/src/config.ts';
import { configSchema as migrate } from '../apps/migrate/src/config.ts';
import { configSchema as quickstart } from '../apps/quickstart/src/config.ts';
import { configSchema as worker } from '../apps/worker/src/config.ts';

const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
const shown = new Map(
  [...text.matchAll(/^(?:# )?([A-Z][A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
);

test('.env.example names every setting of every app, and no other', () => {
  const names = [api, migrate, quickstart, worker].flatMap((schema) => Object.keys(schema.shape));

  expect([...shown.keys()].sort()).toEqual([...new Set(names)].sort());
});

test.each([
  ['api', api],
  ['worker', worker],
])('.env.example shows the defaults of the %s', (_, schema) => {
  const defaults = Object.entries(schema.shape).flatMap(([name, field]) => {
    const { type, defaultValue } = { defaultValue: undefined, ...field.def };
    return type === 'default' && typeof defaultValue !== 'object' ? [[name, String(defaultValue)]] : [];
  });

  expect(defaults.length).toBeGreaterThan(2);
  expect(defaults).toEqual(defaults.map(([name]) => [name, shown.get(name)]));
});

test.each([
  ['api', api],
  ['migrate', migrate],
  ['quickstart', quickstart],
  ['worker', worker],
])('every setting of the %s says what it expects', (_, schema) => {
  const silent = Object.entries(schema.shape).filter(([, field]) => !field.meta()?.expected);

  expect(silent.map(([name]) => name)).toEqual([]);
});
