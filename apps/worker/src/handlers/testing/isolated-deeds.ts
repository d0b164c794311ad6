import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineJob } from '@accepted/job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { z } from 'zod';
import type { LoadedHandler } from '../loaded-handler.ts';
import { closeIsolatedProcesses } from '../process-pool.ts';
import { attempt } from './attempt.ts';

const PROGRAM_DIR = fileURLToPath(new URL('../../../../../', import.meta.url));

const SOURCE = `
import { defineJob, PermanentError } from '@accepted/job';
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import process, { env, pid } from 'node:process';
import { z } from 'zod';

class CardDeclined extends PermanentError { name = 'Error'; }

const program = ${JSON.stringify(PROGRAM_DIR)};
let runs = 0;
const deeds: Record<string, (ctx: any) => unknown> = {
  process: (ctx) => ({ pid, runs: ++runs, attempt: ctx.attempt, age: ctx.job.createdAt.getTime() }),
  environment: () => ({ ...env }),
  trespass: () => {
    const deeds = {
      read: () => readFileSync('/etc/passwd'),
      secrets: () => readFileSync('/proc/' + process.ppid + '/environ'),
      kept: () => readFileSync(program + '.accepted/secrets.json'),
      dotenv: () => readFileSync(program + '.env'),
      folder: () => readdirSync(program),
      beside: () => readFileSync(import.meta.dirname + '/../.env'),
      around: () => readFileSync(program + 'apps/worker/node_modules/@accepted/shared/../../.accepted/secrets.json'),
      linked: () => readFileSync(program + 'apps/worker/node_modules/@accepted/testing/node_modules/@accepted/shared/../../.env'),
      hoisted: () => readFileSync(program + 'node_modules/.pnpm/node_modules/@accepted/api/../../.env'),
      write: () => writeFileSync(import.meta.dirname + '/left', ''),
      program: () => execFileSync('true'),
    };
    const code = (deed: () => unknown) => {
      try {
        deed();
        return 'done';
      } catch (error: any) {
        // What may be looked for need not be there.
        return error.code === 'ENOENT' ? 'done' : error.code;
      }
    };
    return Object.fromEntries(Object.entries(deeds).map(([name, deed]) => [name, code(deed)]));
  },
  imports: async () => {
    const [own, helper] = await Promise.all([import('own-package'), import('./lib/helper.ts')]);
    return [own.default, helper.default, typeof z.string, typeof defineJob];
  },
  throw: () => { throw new PermanentError('no', { code: 'gone' }); },
  decline: () => { throw new CardDeclined('no', { cause: new Error('limit') }); },
  map: () => ({ rows: new Map() }),
  invalid: () => 1n,
  large: () => 'x'.repeat(50_000_000),
  leave: (ctx) => void setInterval(() => ctx.progress('stale'), 1),
  wait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  exit: () => process.exit(3),
  throwLater: (payload) => void setTimeout(() => { throw new Error('left behind'); }, payload.laterMs),
  // What it starts keeps the channel to the worker open, which is the descriptor 3.
  exitWithOpenChannel: (payload) => {
    spawn('sleep', ['2'], { stdio: ['ignore', 'ignore', 'ignore', 3] });
    setTimeout(() => process.exit(3), payload.laterMs);
  },
  exitLater: (payload) => void setTimeout(() => process.exit(3), payload.laterMs),
  blockLater: (payload) => void setTimeout(() => { writeFileSync(import.meta.dirname + '/blocked', ''); for (;;); }, payload.laterMs),
  waitLong: () => new Promise((resolve) => setTimeout(resolve, 1_000)),
  crash: () => new Promise(() => setImmediate(() => { throw new Error('floating'); })),
  // The listener runs outside of everything that the attempt has started.
  outside: () => new Promise(() => {
    process.once('SIGTERM', () => { throw new Error('outside'); });
    process.kill(pid, 'SIGTERM');
  }),
  outOfMemory: () => { const hoard: unknown[] = []; for (;;) hoard.push(new Array(1_000).fill(hoard.length)); },
  block: (ctx) => { ctx.progress(pid); for (;;); },
  stay: (ctx) => { ctx.progress(pid); return new Promise(() => setInterval(() => undefined, 1_000)); },
  hang: () => new Promise(() => setInterval(() => undefined, 1_000)),
  obey: (ctx) => new Promise((resolve) => {
    ctx.progress('ready');
    ctx.signal.addEventListener('abort', () => resolve(ctx.signal.reason.name + ': ' + ctx.signal.reason.message));
  }),
  tell: (ctx) => {
    for (let percent = 0; percent < 100; percent++) ctx.progress({ percent });
    ctx.logger.info({ rows: 3 }, 'told');
    ctx.logger.warn('plain');
    ctx.logger.error({ run: () => 1 }, 'uncloneable');
  },
};

export default defineJob({
  type: 'test.isolated',
  payload: z.looseObject({ deed: z.string() }),
  isolate: true,
  run: (payload, ctx) => deeds[payload.deed]?.(payload.laterMs === undefined ? ctx : payload),
});
`;

/** Makes a handler that does in its process what its payload says, and ways to run it. */
export async function openIsolatedDeeds() {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-isolated-'));
  const jobsDir = join(folder, 'jobs');
  const file = join(jobsDir, 'isolated.ts');
  const files = {
    [file]: SOURCE,
    [join(jobsDir, 'lib/helper.ts')]: "export default 'helper' as string;",
    [join(folder, 'node_modules/own-package/package.json')]: '{"type":"module","exports":"./index.js"}',
    [join(folder, 'node_modules/own-package/index.js')]: "export default 'package';",
    [join(folder, '.env')]: 'SECRET=1',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  // The process loads the file; on this side only its options count.
  const definition = defineJob({
    type: 'test.isolated',
    payload: z.unknown(),
    isolate: true,
    run: () => 'not here',
  });
  const handler: LoadedHandler = { type: 'test.isolated', queue: 'default', definition, file };
  return {
    handler,
    /** Names a file beside that of the handler. */
    file: (name: string) => join(jobsDir, name),
    run: (deed: string, job: Parameters<typeof attempt>[1] = {}, controls?: Parameters<typeof attempt>[2]) =>
      attempt(handler, { ...job, payload: { deed } }, controls),
    /** Has an attempt return and leave something that happens `laterMs` afterwards. */
    leave: (deed: string, laterMs: number) => attempt(handler, { payload: { deed, laterMs } }),
    async close() {
      await closeIsolatedProcesses();
      await rm(folder, { recursive: true });
    },
  };
}

/** What the deed `process` tells of the process that it ran in. */
export function whereItRan(result: AttemptResult): { pid: number; runs: number } {
  return JSON.parse('resultJson' in result ? result.resultJson : 'null');
}
