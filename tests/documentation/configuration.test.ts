import { expect, test } from 'vitest';
import type { z } from 'zod';
import { configSchema as apiSchema } from '../../apps/api/src/config.ts';
import { addTenantConfigSchema, configSchema as migrateSchema } from '../../apps/migrate/src/config.ts';
import { configSchema as quickstartSchema } from '../../apps/quickstart/src/config.ts';
import { configSchema as workerSchema } from '../../apps/worker/src/config.ts';
import { readPage, tableAfter } from './pages.ts';

const page = readPage('docs/configuration.md');

test.each([
  ['## API', apiSchema],
  ['## Worker', workerSchema],
  ['## Migration', migrateSchema],
  ['## Adding a tenant', addTenantConfigSchema],
  ['## Quickstart', quickstartSchema],
] as const)(
  'the table under %s has the settings that the program takes, with their defaults',
  (heading, schema) => {
    const documented = tableAfter(page, heading).map(([name, fallback]) => [name, fallback]);
    expect(documented.sort()).toEqual(
      Object.entries(schema.shape)
        .map(([name, field]) => [`\`${name}\``, defaultOf(field)])
        .sort(),
    );
  },
);

test.each(
  [apiSchema, workerSchema, migrateSchema, addTenantConfigSchema, quickstartSchema].flatMap(({ shape }) =>
    Object.entries<z.ZodType>(shape)
      .filter(([name, field]) => (name.endsWith('_URL') ? name !== 'PUBLIC_URL' : field.meta()?.secret))
      .map(([name]) => name),
  ),
)('%s is a credential of ours, which HANDLER_ENV gives no handler', (name) => {
  expect(workerSchema.shape.HANDLER_ENV.safeParse(name).success).toBe(false);
  expect(workerSchema.shape.HANDLER_ENV.safeParse('STRIPE_KEY').success).toBe(true);
});

function defaultOf(field: z.ZodType): string {
  const parsed = field.safeParse(undefined);
  if (!parsed.success) return 'required';
  const { data } = parsed;
  if (data === undefined || (Array.isArray(data) && data.length === 0)) return '–';
  return `\`${String(data).replace(/^.*\/(?=\.accepted$|examples\/jobs$)/, '')}\``;
}
