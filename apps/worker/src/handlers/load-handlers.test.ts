import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { defineJob } from '@accepted/job';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadHandlers } from './load-handlers.ts';
import { loaded } from './testing/attempt.ts';

const PROGRAM = fileURLToPath(new URL('./testing/print-catalog.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accepted-jobs-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Loads the folder as a worker does: in a Node process of its own. */
async function catalog(): Promise<Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, folder]);
  return JSON.parse(stdout);
}

const faults = () =>
  catalog().then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );

const job = (type: string, payload = 'z.object({})', more = '') => `
import { defineJob } from '@accepted/job';
import { z } from 'zod';
export default defineJob({ type: '${type}', payload: ${payload}, ${more} run: () => null });
`;

describe('a handler file outside the workspace', () => {
  it('needs nothing installed, as TypeScript or JavaScript, and becomes a row of the catalog', async () => {
    await write({
      'a.ts': `interface Unused { a: string }\n${job('report.a', 'z.object({ id: z.string() })', "queue: 'reports', result: z.null(), concurrency: { limit: 2, key: (p) => p.id },")}`,
      'b.js': job('report.b'),
      'c.mjs': job(
        'report.c',
        'z.object({ n: z.number() as never })'.replace(' as never', ''),
        'timeoutMs: 5, retry: { maxAttempts: 1 },',
      ),
      'README.md': 'not a handler',
      'types.d.ts': 'declare const x: number;',
      'lib/shared.ts': 'throw new Error("folders are not looked into");',
    });
    const rows = await catalog();
    expect(rows.map((row) => row.type)).toEqual(['report.a', 'report.b', 'report.c']);
    expect(rows[0]).toEqual({
      type: 'report.a',
      queue: 'reports',
      payloadSchema: expect.objectContaining({ properties: { id: { type: 'string' } }, required: ['id'] }),
      resultSchema: expect.objectContaining({ type: 'null' }),
      defaults: {
        maxAttempts: 5,
        backoff: { type: 'exponential', delayMs: 1_000, maxMs: 600_000, jitter: 'full' },
        timeoutMs: 60_000,
        concurrency: { limit: 2, keyPointer: '/id' },
      },
    });
    expect(rows[1]).not.toHaveProperty('resultSchema');
    expect(rows[2]).toMatchObject({ defaults: { maxAttempts: 1, timeoutMs: 5 } });
  });

  it('gets its own copy of a package if it has one', async () => {
    await write({
      'own.ts': `import * as zod from 'zod';\nthrow new Error(zod.own);`,
      'node_modules/zod/package.json': '{ "name": "zod", "type": "module", "exports": "./index.js" }',
      'node_modules/zod/index.js': "export const own = 'its own zod';",
    });
    expect(await faults()).toContain('its own zod');
  });

  it('cannot reach the other packages of the worker', async () => {
    await write({ 'greedy.ts': "import 'undici';" });
    expect(await faults()).toMatch(/greedy\.ts: Cannot find package 'undici'/);
  });
});

describe('faulty handler files', () => {
  it('are reported all at once, each with its file', async () => {
    await write({
      'a.ts': job('same.type'),
      'b.ts': job('same.type'),
      'c.ts': 'export default { type: "x" };',
      'd.ts': 'const = 1;',
      'e.ts': job('Bad Name', 'z.object({})', 'timeoutMs: -1,'),
      'f.ts': job('dated', 'z.object({ at: z.date() })'),
      'g.ts': job(
        'keyed',
        'z.object({ id: z.string() })',
        "concurrency: { limit: 1, key: (p) => p.id + '!' },",
      ),
    });
    const lines = (await faults()).split('\n  - ').slice(1);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe(
      `${join(folder, 'b.ts')}: "same.type" is already defined by ${join(folder, 'a.ts')}`,
    );
    expect(lines[1]).toMatch(/c\.ts: it has no default export made by defineJob/);
    expect(lines[2]).toMatch(/d\.ts: /);
    expect(lines[3]).toMatch(/e\.ts: .*type must match.*timeoutMs must be/);
    expect(lines[4]).toMatch(/f\.ts: the payload schema cannot be said in JSON Schema: Date/);
    expect(lines[5]).toMatch(/g\.ts: concurrency\.key must only read one property/);
  });

  it('include a folder that is not there', async () => {
    const jobsDir = join(folder, 'nowhere');
    await expect(loadHandlers({ jobsDir, builtins: [] })).rejects.toThrow(
      `${jobsDir} cannot be read (ENOENT)`,
    );
  });
});

describe('loadHandlers', () => {
  it('loads the built-in handlers alone when there is no folder', async () => {
    const builtin = loaded(defineJob({ type: 'built.in', payload: z.null(), run: () => null }));
    expect(await loadHandlers({ builtins: [builtin] })).toEqual([builtin]);
  });
});
