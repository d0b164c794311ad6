import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from '../../apps/api/test/api-under-test.ts';
import { ODD_JOB_TYPES } from '../../apps/api/test/odd-job-types.ts';
import { ROOT, readPage } from '../documentation/pages.ts';

const run = promisify(execFile);

/** A generator and a compiler take seconds; on a machine that has much to do, many. */
const TIMEOUT_MS = 180_000;

/** A package of its own, because the generators need a TypeScript that has an API for programs. */
const GENERATORS = join(ROOT, 'tests/generators/node_modules');

let api: ApiUnderTest;
let url: string;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  await registerBuild(api.db, { id: 'odd', types: ODD_JOB_TYPES });
  url = await api.app.listen({ port: 0, host: '127.0.0.1' });
  folder = await mkdtemp(join(tmpdir(), 'accepted-clients-'));
  await symlink(GENERATORS, join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  if (folder) await rm(folder, { recursive: true });
});

const { code } = readPage('docs/clients.md');
const codeOf = (generator: string) => code.find(({ meta }) => meta === generator)?.text ?? '';

/** Does what a user would: generates, compiles strictly, and runs what came out. */
async function runClient(name: string, generator: string, args: string[], files: Record<string, string>) {
  const env = { PATH: process.env.PATH ?? '' };
  const openapi = `${url}/openapi.json`;
  await run(join(GENERATORS, '.bin', generator), [...args, openapi], { cwd: folder, env }).catch(told);
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  const output = join(folder, `${name}-out`);
  const options = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    '',
    '--outDir',
    output,
  ];
  await run(join(ROOT, 'node_modules/.bin/tsc'), [...options, ...Object.keys(files)], { cwd: folder }).catch(
    told,
  );
  const { stdout } = await run(process.execPath, [join(output, `${name}-main.js`), url, api.key], {
    env,
  }).catch(told);
  return stdout.trim();
}

function told(error: { stdout?: string; stderr?: string; message: string }): never {
  throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}`);
}

const main = (name: string) => `
declare const process: { argv: string[] };
declare const console: { log(text: unknown): void };
import { callLater } from './${name}.js';
console.log(await callLater(process.argv[2] ?? '', process.argv[3] ?? ''));
`;

describe('a generated client compiles strictly, knows the payloads, and submits and reads a job', {
  timeout: TIMEOUT_MS,
}, () => {
  test('of openapi-typescript', async () => {
    const printed = await runClient('fetch', 'openapi-typescript', ['-o', 'accepted.ts'], {
      'fetch.ts': codeOf('openapi-fetch'),
      'fetch-main.ts': main('fetch'),
      'fetch-types.ts': `
import type { components, operations, webhooks } from './accepted.js';
type Submission = operations['submitJob']['requestBody']['content']['application/json'];
export const right: Submission = { type: 'odd.union', payload: { kind: 'circle', radius: 1 } };
// @ts-expect-error A circle has no side.
export const wrong: Submission = { type: 'odd.union', payload: { kind: 'circle', side: 1 } };
// @ts-expect-error There is no such type.
export const unknown: Submission = { type: 'odd.unknown', payload: {} };
export const recursive: components['schemas']['Payload.odd.itself'] = { next: { next: { value: 1 } } };
export const hook = (event: webhooks['job.succeeded']['post']['requestBody']['content']['application/json']) =>
  [event.type satisfies 'job.succeeded', event.data.id satisfies string];
`,
    });
    expect(printed).toBe('queued');
  });

  test('of @hey-api/openapi-ts', async () => {
    const printed = await runClient('hey', 'openapi-ts', ['--no-log-file', '-o', 'accepted', '-i'], {
      'hey.ts': codeOf('hey-api'),
      'hey-main.ts': main('hey'),
      'hey-types.ts': `
import type { PayloadOddItself, SubmitJobData } from './accepted/index.js';
export const right: SubmitJobData['body'] = { type: 'odd.union', payload: { kind: 'circle', radius: 1 } };
// @ts-expect-error A circle has no side.
export const wrong: SubmitJobData['body'] = { type: 'odd.union', payload: { kind: 'circle', side: 1 } };
export const recursive: PayloadOddItself = { next: { next: { value: 1 } } };
`,
    });
    expect(printed).toBe('queued');
  });
});
