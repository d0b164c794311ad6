import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import { afterAll, expect, test } from 'vitest';
import { JobRequest } from '../submit/job-request.ts';
import { createCheckThreads } from './check-threads.ts';

const threads = createCheckThreads();
afterAll(() => threads.close());

const row = (payloadSchema: object) =>
  ({ type: 'x', queue: 'default', payloadSchema, otherSchemas: [], defaults: {} }) as unknown as CatalogType;
/** A thread is started twice, and once its work is given up after 2 s. */
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

/** Each level is looked at twice, and what is wrong with it is noted twice. */
const hungry = {
  anyOf: [{ properties: { in: { $ref: '#' } } }, { properties: { in: { $ref: '#' } } }],
  type: 'object',
};

test(
  'a check that would take all memory is given up, and the next one is not hurt',
  async () => {
    const inspect = (json: string) => threads.inspect('a', { json, row: row(hungry), isQuick: false });
    expect(await inspect(`${'{"in":'.repeat(60)}1${'}'.repeat(60)}`)).toMatchObject({
      // Whichever bound it meets first: it comes to both at about the same time.
      faults: [
        { detail: expect.stringMatching(/^To check it by the schema of x takes (more|longer) than /) },
      ],
    });
    expect((await inspect('{"in":{}}')).faults).toEqual([]);
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
