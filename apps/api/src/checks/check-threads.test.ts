import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import { afterAll, expect, test } from 'vitest';
import { JobRequest } from '../submit/job-request.ts';
import { createCheckThreads } from './check-threads.ts';

const threads = createCheckThreads();
afterAll(() => threads.close());

const row = (payloadSchema: object) =>
  ({ type: 'x', queue: 'default', payloadSchema, otherSchemas: [], defaults: {} }) as unknown as CatalogType;
/** Twice a thread is started, and once its work is given up after 2 s. */
const STARTS_AND_GIVES_UP_MS = 30_000;
const catastrophic = { type: 'string', pattern: '^(a|a)+$' };
const json = JSON.stringify(`${'a'.repeat(60)}!`);

test(
  'a check that would take forever is given up, and the next one is not hurt',
  async () => {
    const slow = threads.inspect('a', { json, row: row(catastrophic), isQuick: false });
    const quick = threads.inspect('b', { json: '{"n":1}', row: row({ type: 'object' }), isQuick: false });
    expect(await slow).toMatchObject({
      faults: [{ pointer: '/payload', detail: 'To check it by the schema of x takes longer than 2 s.' }],
    });
    expect(await quick).toEqual({ faults: [], refusedBy: [], json: '{"n":1}' });
  },
  STARTS_AND_GIVES_UP_MS,
);

test('a body is read in a thread, and what is wrong with it comes back', async () => {
  const schemaJson = JSON.stringify(JobRequest);
  const readBody = (text: string) =>
    threads.readBody('a', { bytes: Buffer.from(text), schemaJson, needsCanonical: false });
  expect(await readBody('{"type":"x","payload":[1]}')).toEqual({
    restJson: '{"type":"x"}',
    payload: { json: '[1]' },
  });
  expect(await readBody('{"type":"x"}')).toMatchObject({ code: 'validation_failed' });
  expect(await readBody('{')).toMatchObject({ code: 'malformed_json' });
});
