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
        "timeoutMs: 5, retry: { maxAttempts: 1, backoff: { type: 'exponential', delayMs: 7 } },",
      ),
      'README.md': 'not a handler',
      'types.d.ts': 'declare const x: number;',
      'a.test.ts': 'throw new Error("tests are not looked at");',
      '_shared.ts': 'throw new Error("nor are names that begin with _");',
      '.hidden.ts': 'throw new Error("or with a point");',
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
    expect(rows[2]).toMatchObject({
      defaults: {
        maxAttempts: 1,
        backoff: { type: 'exponential', delayMs: 7, maxMs: 600_000, jitter: 'full' },
        timeoutMs: 5,
      },
    });
  });

  it('may be a module of either kind, and import a helper that is none', async () => {
    const required = "const { defineJob } = require('@accepted/job');\nconst { z } = require('zod');\n";
    const made = (type: string) => `defineJob({ type: '${type}', payload: z.object({}), run: () => null })`;
    await write({
      'a.mts': job('report.a'),
      'b.cjs': `${required}module.exports = ${made('report.b')};`,
      'c.cts': `${required}const x: number = 1;\nexports.__esModule = true;\nexports.default = ${made('report.c')};`,
      'd.ts': `import { type } from './_types.ts';\n${job('report.d').replace("'report.d'", 'type')}`,
      '_types.ts': "export const type: string = 'report.d';",
    });
    const types = (await catalog()).map((row) => row.type);
    expect(types).toEqual(['report.a', 'report.b', 'report.c', 'report.d']);
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
    await write({ 'greedy.ts': "import 'ipaddr.js';" });
    expect(await faults()).toMatch(/greedy\.ts:1:8: Cannot find package 'ipaddr.js'/);
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
      `${join(folder, 'b.ts')}:4:34: "same.type" is already defined by ${join(folder, 'a.ts')}`,
    );
    expect(lines[1]).toMatch(/c\.ts: it has no default export made by defineJob; .* begins with _$/);
    expect(lines[2]).toMatch(/d\.ts:1:7: Unexpected token/);
    expect(lines[3]).toMatch(/e\.ts:4:16: .*type must match.*timeoutMs must be/);
    expect(lines[4]).toMatch(/f\.ts: the payload schema cannot be said in JSON Schema: Date/);
    expect(lines[5]).toMatch(/g\.ts:4:16: concurrency\.key must only read one property/);
  });

  it('are told with the file, the line and the column that their author has to look at', {
    timeout: 30_000,
  }, async () => {
    await write({
      'syntax.ts': 'const x: number = 1;\nlet let;',
      'module.mjs': 'const x = 1;\nconst = 2;',
      'common.cjs': 'const x = 1;\n\n  x x;',
      'enum.ts': '\nenum A { B }',
      'import.ts': "\nimport './nope.ts';",
      'package.ts': "import x from 'nope-nope';",
      'export.ts': "import { y } from './_helper.ts';",
      '_helper.ts': 'export const x = 1;',
      'helped.ts': "import './lib/wrong.mjs';",
      'lib/wrong.mjs': '\nconst = 2;',
      'throw.ts': "\n\nthrow new Error('no key', { cause: new Error('why') });",
      'thrower.ts': "import './_thrower.ts';",
      '_thrower.ts': "function f() {\n  throw new Error('no');\n}\nf();",
      'schema.ts': job('a', 'z.objekt({})'),
      'option.ts': job('a', 'z.null()', 'timeoutMS: 1,'),
      'text.ts': "throw 'a text';",
    });
    const text = await faults();
    for (const fault of [
      'syntax.ts:2:5: ',
      "module.mjs:2:7: Unexpected token '='",
      'common.cjs:3:5: ',
      'enum.ts:2:1: TypeScript enum',
      'import.ts:2:8: Cannot find module',
      'package.ts:1:15: Cannot find package',
      'export.ts:1:10: The requested module',
      `helped.ts: ${folder}/lib/wrong.mjs:2:7: Unexpected token '='`,
      'throw.ts:3:7: no key: why',
      `thrower.ts: ${folder}/_thrower.ts:2:9: no`,
      'schema.ts:4:50: z.objekt is not a function',
      'option.ts:4:16: The job "a" is not defined well: timeoutMS is not an option (did you mean timeoutMs?)',
      'text.ts: it threw a text',
    ]) {
      expect(text).toContain(`${folder}/${fault}`);
    }
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
