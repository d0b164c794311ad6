import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROOT, readPage } from './pages.ts';

/** The compiler is quick, but a busy machine is not. */
const PATIENCE = { timeout: 60_000 };
const PACKAGE = join(ROOT, 'packages/job');
const page = readPage('docs/handlers.md');
const [withCheckout = '', withImage = ''] = page.code
  .filter(({ language }) => language === 'json')
  .map(({ text }) => text);
const [shown = ''] = page.code.filter(({ text }) => text.includes('defineJob({')).map(({ text }) => text);

const HANDLER = `
import { readFile } from 'node:fs/promises';
import { defineJob, type JobContext, PermanentError } from '@accepted/job';
import { z } from 'zod';
import * as z4 from 'zod/v4';
import { limit } from './lib/limit.ts';

class OverLimit extends PermanentError {
  override name = 'OverLimit';
}

export default defineJob({
  type: 'typed',
  payload: z.object({ n: z.number() }),
  result: z4.object({ ok: z4.boolean() }),
  retry: { backoff: { type: 'exponential', delayMs: 5 } },
  async run({ n }, ctx: JobContext) {
    await readFile('x');
    if (n > limit) throw new OverLimit('no');
    return { ok: (await fetch('https://a.example', { signal: ctx.signal })).ok };
  },
});
`;
const WRONG = `
import { defineJob } from '@accepted/job';
import { z } from 'zod';
export default defineJob({
  type: 'wrong',
  payload: z.object({ n: z.number() }),
  timeoutMS: 1,
  run: ({ n }) => n.toUpperCase(),
});
`;
const EVERY_STRICT_FLAG =
  '--noUnusedLocals --noUnusedParameters --noImplicitReturns --exactOptionalPropertyTypes --noUncheckedIndexedAccess ' +
  '--noPropertyAccessFromIndexSignature --noImplicitOverride --noFallthroughCasesInSwitch --isolatedModules ' +
  '--allowUnreachableCode false --allowUnusedLabels false';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accepted-types-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Gives what the compiler has to say about the folder, an empty text when it is content. */
async function compile(...flags: string[]): Promise<string> {
  const args = ['-p', folder, '--pretty', 'false', ...flags];
  const failed = (error: { stdout: string }) => error;
  return (await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), args).catch(failed)).stdout;
}

test(
  'a handler outside of the checkout is checked with one line of tsconfig.json, also by the strictest',
  PATIENCE,
  async () => {
    await write({
      'tsconfig.json': withCheckout.replace('../accepted/packages/job', PACKAGE),
      'shown.ts': shown,
      'typed.ts': HANDLER,
      'lib/limit.ts': 'export const limit: number = process.uptime();',
    });
    expect(await compile()).toBe('');
    // Of the project's own files, which are checked along.
    const faults = (await compile(...EVERY_STRICT_FLAG.split(' '))).split('\n');
    expect(faults.filter((line) => line !== '' && !line.startsWith('shown.ts'))).toEqual([]);

    await write({ 'wrong.ts': WRONG, 'enum.ts': 'export enum A { B }' });
    const wrong = await compile();
    expect(wrong).toMatch(
      /wrong\.ts\(7,3\): .*'timeoutMS' does not exist.*Did you mean to write 'timeoutMs'/,
    );
    expect(wrong).toMatch(/wrong\.ts\(8,21\): .*'toUpperCase' does not exist on type 'number'/);
    expect(wrong).toMatch(/enum\.ts\(1,13\): .*erasableSyntaxOnly/);
  },
);

test(
  'the package that is taken out of the image needs nothing but what its package.json names',
  PATIENCE,
  async () => {
    const files = ['package.json', 'src', 'handlers.tsconfig.json'];
    for (const file of files) await cp(join(PACKAGE, file), join(folder, 'job', file), { recursive: true });
    const { dependencies, devDependencies } = JSON.parse(
      await readFile(join(PACKAGE, 'package.json'), 'utf8'),
    );
    // As `npm install` would, without a network.
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      const link = join(folder, 'job/node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(PACKAGE, 'node_modules', name), link);
    }
    await write({
      'tsconfig.json': withImage,
      'jobs/shown.ts': shown,
      'jobs/typed.ts': HANDLER,
      'jobs/lib/limit.ts': 'export const limit: number = process.uptime();',
    });
    expect(await compile()).toBe('');

    await write({ 'jobs/wrong.ts': WRONG });
    expect(await compile()).toMatch(/wrong\.ts\(8,21\): .*'toUpperCase' does not exist on type 'number'/);
  },
);

test('the image has what is taken out of it', async () => {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  for (const file of ['package.json', 'src', 'handlers.tsconfig.json']) {
    expect(dockerfile).toMatch(new RegExp(`^COPY .*packages/job/${file}`, 'm'));
  }
});

test("a copy of zod of the handlers' own comes first, as it does at run time", PATIENCE, async () => {
  await write({
    'tsconfig.json': withCheckout.replace('../accepted/packages/job', PACKAGE),
    'own.ts': "import { own } from 'zod';\nexport const text: 'its own' = own;",
    'node_modules/zod/package.json': '{ "name": "zod", "type": "module", "types": "./index.d.ts" }',
    'node_modules/zod/index.d.ts': "export declare const own: 'its own';",
  });
  expect(await compile()).toBe('');
});
