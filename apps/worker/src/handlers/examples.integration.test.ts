import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadHandlers } from './load-handlers.ts';
import type { LoadedHandler } from './loaded-handler.ts';
import { closeIsolatedProcesses } from './process-pool.ts';
import { attempt } from './testing/attempt.ts';

const EXAMPLES = new URL('../../../../examples/', import.meta.url);
const data = (name: string) => readFile(new URL(`data/${name}`, EXAMPLES));

let database: TestDatabase;
let handlers: Map<string, LoadedHandler>;

beforeAll(async () => {
  database = await createTestDatabase();
  vi.stubEnv('DATABASE_URL', database.url);
  const loaded = await loadHandlers({ jobsDir: fileURLToPath(new URL('jobs', EXAMPLES)), builtins: [] });
  handlers = new Map(loaded.map((handler) => [handler.type, handler]));
});
afterAll(async () => {
  await closeIsolatedProcesses();
  await database.drop();
});

async function run(type: string, job: Partial<ClaimedJob>, controls: Parameters<typeof attempt>[2] = {}) {
  const handler = handlers.get(type);
  if (!handler) throw new Error(`There is no example ${type}.`);
  const result = await attempt(handler, job, controls);
  return result.kind === 'returned' ? JSON.parse(result.resultJson) : result;
}

describe('csv.import', () => {
  const rows = (id: string) =>
    sql<{ line: number; name: string; email: string; token: number }>`
      SELECT line, name, email, token FROM examples.contacts WHERE job_id = ${publicId('job', id)} ORDER BY line`
      .execute(database.db)
      .then((result) => result.rows);

  it('writes the contacts of a real file once, however often it runs, and tells what it rejected', async () => {
    const id = newUuid();
    const payload = { csv: String(await data('contacts.csv')) };
    const progress: unknown[] = [];
    const result = await run(
      'csv.import',
      { id, payload, attempt: 1 },
      { onProgress: (value) => progress.push(value) },
    );
    expect(result.imported).toBe(1_196);
    expect(result.rejected).toEqual([
      { line: 33, reason: 'email: Invalid email address' },
      { line: 43, reason: expect.stringMatching(/^name: /) },
      { line: 53, reason: expect.stringMatching(/^Invalid Record Length/) },
    ]);
    expect(progress).toEqual([500, 1_000, 1_196].map((written) => ({ written, of: 1_196 })));
    expect(await run('csv.import', { id, payload, attempt: 2 })).toEqual(result);
    const written = await rows(id);
    expect(written).toHaveLength(1_196);
    expect(new Set(written.map((row) => row.token))).toEqual(new Set([2]));
    expect(written.map((row) => row.name)).toContain('Zoë Müller-Łukasz');
    expect(written.map((row) => row.name)).toContain('Radia "the first" Thompson');
  });

  it('does not let an attempt that lost its lease overwrite a later one', async () => {
    const id = newUuid();
    const csv = (name: string) => ({ csv: `name,email\n${name},ada@example.com` });
    await run('csv.import', { id, payload: csv('Later'), attempt: 2 });
    await run('csv.import', { id, payload: csv('Zombie'), attempt: 1 });
    expect(await rows(id)).toEqual([{ line: 2, name: 'Later', email: 'ada@example.com', token: 2 }]);
  });

  it('waits while another first import creates the table', async () => {
    await sql`DROP SCHEMA examples CASCADE`.execute(database.db);
    const importing = await database.db.transaction().execute(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(hashtext('examples.contacts'))`.execute(tx);
      await sql`CREATE SCHEMA examples`.execute(tx);
      const started = run('csv.import', { payload: { csv: 'name,email\nAda,ada@example.com' } });
      await waitUntil(async () => (await waitingLocks()) > 0, { until: 'the import waits for the table' });
      return { started };
    });
    expect(await importing.started).toEqual({ imported: 1, rejected: [] });
  });

  async function waitingLocks(): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      SELECT count(*)::integer AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(database.db);
    return rows[0]?.count ?? 0;
  }

  it('fails for good on a file without the columns', async () => {
    const error = { code: 'missing_column', retryable: false, message: 'The CSV has no column email.' };
    expect(await run('csv.import', { payload: { csv: 'name,phone\nAda,1' } })).toMatchObject({
      kind: 'threw',
      error,
    });
  });
});

describe('image.thumbnail', () => {
  it('makes a WebP of the width asked, in a process of its own', async () => {
    const imageBase64 = (await data('mountains.jpg')).toString('base64');
    const result = await run('image.thumbnail', { payload: { imageBase64, widthPx: 200 } });
    expect(result).toMatchObject({ widthPx: 200, heightPx: 133 });
    const bytes = Buffer.from(result.imageBase64, 'base64');
    expect(String(bytes.subarray(0, 4)) + String(bytes.subarray(8, 12))).toBe('RIFFWEBP');
    expect(bytes.length).toBeLessThan(10_000);
  });

  it('fails for good on what is not an image', async () => {
    const payload = { imageBase64: Buffer.from('not an image').toString('base64'), widthPx: 200 };
    const error = { code: 'not_an_image', retryable: false };
    expect(await run('image.thumbnail', { payload })).toMatchObject({ kind: 'threw', error });
  });
});

describe('link.check', () => {
  let site: Server;
  let behave: RequestListener;
  beforeAll(async () => {
    site = createServer((request, response) => behave(request, response));
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('SITE_URL', siteUrl());
  });
  afterAll(() => {
    site.close();
    site.closeAllConnections();
  });
  const siteUrl = () => `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
  const check = (path: string, job: Partial<ClaimedJob> = {}) =>
    run('link.check', { ...job, payload: { path } });

  it('tells whether a page of the site answers', async () => {
    behave = (request, response) => response.writeHead(request.url === '/there' ? 200 : 404).end();
    expect(await check('/there')).toEqual({ url: `${siteUrl()}there`, status: 200, works: true });
    expect(await check('/gone')).toMatchObject({ status: 404, works: false });
  });

  it.each(['//elsewhere.example/', '/@elsewhere.example', '/\\elsewhere.example'])(
    'stays on the site for %s',
    async (path) => {
      behave = (_request, response) => response.end();
      expect((await check(path)).url.startsWith(siteUrl())).toBe(true);
    },
  );

  it('comes back later when the site asks for it', async () => {
    behave = (_request, response) => response.writeHead(429, { 'retry-after': '7' }).end();
    expect(await check('/busy')).toMatchObject({
      kind: 'threw',
      retryAfterMs: 7_000,
      error: { retryable: true },
    });
  });

  it('ends when its time is up', async () => {
    behave = () => undefined;
    expect(await check('/slow', { timeoutMs: 50 })).toEqual({ kind: 'timedOut', timeoutMs: 50 });
  });
});
