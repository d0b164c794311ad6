import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { defineJob } from '@accepted/job';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { LoadedHandler } from './loaded-handler.ts';
import { closeIsolatedProcesses } from './process-pool.ts';
import { attempt, recordingLogger } from './testing/attempt.ts';

const SOURCE = `
import { defineJob, PermanentError } from '@accepted/job';
import { writeFileSync } from 'node:fs';
import process, { pid } from 'node:process';
import { z } from 'zod';

class CardDeclined extends PermanentError { name = 'Error'; }

let runs = 0;
const deeds: Record<string, (ctx: any) => unknown> = {
  process: (ctx) => ({ pid, runs: ++runs, attempt: ctx.attempt, age: ctx.job.createdAt.getTime() }),
  throw: () => { throw new PermanentError('no', { code: 'gone' }); },
  decline: () => { throw new CardDeclined('no', { cause: new Error('limit') }); },
  map: () => ({ rows: new Map() }),
  invalid: () => 1n,
  large: () => 'x'.repeat(50_000_000),
  leave: (ctx) => void setInterval(() => ctx.progress('stale'), 1),
  wait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  exit: () => process.exit(3),
  throwLater: (payload) => void setTimeout(() => { throw new Error('left behind'); }, payload.laterMs),
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

let folder: string;
let handler: LoadedHandler;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accepted-isolated-'));
  const file = join(folder, 'isolated.ts');
  await writeFile(file, SOURCE);
  // The process loads the file; on this side only its options count.
  const definition = defineJob({
    type: 'test.isolated',
    payload: z.unknown(),
    isolate: true,
    run: () => 'not here',
  });
  handler = { type: 'test.isolated', queue: 'default', definition, file };
});

afterAll(async () => {
  await closeIsolatedProcesses();
  await rm(folder, { recursive: true });
});

const run = (deed: string, ...rest: [Parameters<typeof attempt>[1]?, Parameters<typeof attempt>[2]?]) =>
  attempt(handler, { ...rest[0], payload: { deed } }, rest[1]);

/** Has an attempt return and leave something that happens `laterMs` afterwards. */
const leave = (deed: string, laterMs: number) => attempt(handler, { payload: { deed, laterMs } });

const whereItRan = (result: Awaited<ReturnType<typeof run>>) =>
  JSON.parse('resultJson' in result ? result.resultJson : 'null') as { pid: number; runs: number };

describe('an isolated handler', () => {
  it('runs in a process that later attempts use again', async () => {
    const results = [await run('process', { attempt: 4 }), await run('process', { attempt: 4 })];
    const [first, second] = results.map((result) =>
      JSON.parse('resultJson' in result ? result.resultJson : 'null'),
    );
    expect(first).toEqual({ pid: expect.any(Number), runs: 1, attempt: 4, age: 1767323045678 });
    expect(first.pid).toBeGreaterThan(0);
    expect(second).toEqual({ ...first, runs: 2 });
  });

  it.each<[string, object]>([
    ['throw', { code: 'gone', retryable: false, message: 'no' }],
    ['decline', { code: 'card_declined', retryable: false, message: 'no: limit' }],
    ['invalid', { code: 'result_not_serializable' }],
    ['map', { code: 'invalid_result', retryable: false, message: expect.stringContaining('/rows') }],
    ['large', { code: 'result_too_large' }],
  ])('is checked like any other: %s', async (deed, error) => {
    expect(await run(deed)).toMatchObject({ kind: 'threw', error });
  });

  it.each(['exit', 'crash', 'outOfMemory'])(
    'whose process ends by itself (%s) may be tried again',
    async (deed) => {
      const result = await run(deed);
      expect(result).toMatchObject({ kind: 'threw', error: { code: 'handler_exited', retryable: true } });
      expect(await run('process')).toMatchObject({ kind: 'returned' });
    },
  );

  it('is ended by its timeout though it blocks its process for ever', async () => {
    expect(await run('block', { timeoutMs: 50 })).toEqual({ kind: 'timedOut', timeoutMs: 50 });
    expect(await run('process')).toMatchObject({ kind: 'returned' });
  });

  it('sees its signal abort, with the reason, and may still answer', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort('canceled');
    const result = await run('obey', {}, { signal: controller.signal, onProgress, graceMs: 10_000 });
    expect(result).toEqual({ kind: 'returned', resultJson: '"AbortError: The job was canceled."' });
  });

  it('hands progress and log lines to the worker, all of them before its result', async () => {
    const [progress, lines]: [unknown[], unknown[][]] = [[], []];
    await run('tell', {}, { onProgress: (value) => progress.push(value), logger: recordingLogger(lines) });
    expect(progress).toHaveLength(100);
    expect(progress.at(-1)).toEqual({ percent: 99 });
    const inspected = { fields: expect.stringContaining('run') };
    expect(lines).toEqual([
      [{ rows: 3 }, 'told'],
      [{}, 'plain'],
      [inspected, 'uncloneable'],
    ]);
  });

  it('hears nothing of what an earlier attempt left running', async () => {
    await run('leave');
    const progress: unknown[] = [];
    await run('wait', {}, { onProgress: (value) => progress.push(value) });
    expect(progress).toEqual([]);
  });

  it('waits for a process when there are more jobs than processes, its timeout not running', async () => {
    const deeds = [...Array(8).fill('hang'), 'exit', 'exit', 'process', 'process'];
    const results = await Promise.all(
      deeds.map((deed) => run(deed, deed === 'hang' ? { timeoutMs: 100 } : {})),
    );
    expect(results.slice(0, 8)).toEqual(Array(8).fill({ kind: 'timedOut', timeoutMs: 100 }));
    expect(results.slice(10).map((result) => result.kind)).toEqual(['returned', 'returned']);
  }, 30_000);

  it('that waits for a process ends at once when it is canceled', async () => {
    const busy = Array.from({ length: 16 }, () => run('hang', { timeoutMs: 200 }));
    const controller = new AbortController();
    const waiting = run('process', {}, { signal: controller.signal, graceMs: 60_000 });
    controller.abort('canceled');
    expect(await waiting).toEqual({ kind: 'aborted', reason: 'canceled' });
    await Promise.all(busy);
  }, 30_000);
});

describe('what an attempt left running in its process', () => {
  it.each(['throwLater', 'exitLater'])(
    'is not charged to a later one that it ends (%s); that is given back, to run alone',
    async (deed) => {
      await closeIsolatedProcesses();
      await leave(deed, 200);
      expect(await run('waitLong')).toEqual({ kind: 'aborted', reason: 'suspected' });
      expect(await run('process')).toMatchObject({ kind: 'returned' });
    },
  );

  it('is not charged to one that is just being given to the process', async () => {
    for (const laterMs of [0, 1, 2, 5, 10, 20]) {
      await leave('throwLater', laterMs);
      const result = await run('process');
      expect(['returned', 'aborted']).toContain(result.kind);
    }
  }, 30_000);

  it('does not hold up a later one by blocking the process', async () => {
    // Long enough for the attempt to have told its end: what blocks before that is still its own doing.
    await leave('blockLater', 500);
    while (!existsSync(join(folder, 'blocked'))) await delay(20);
    expect(await run('process', { timeoutMs: 1_000 })).toMatchObject({ kind: 'returned' });
  }, 30_000);

  it('is told to the log with the job that left it', async () => {
    await closeIsolatedProcesses();
    const lines: unknown[][] = [];
    await leave('throwLater', 100);
    await run('waitLong', {}, { logger: recordingLogger(lines) });
    expect(lines).toContainEqual([
      { leftBy: { jobId: expect.stringMatching(/^job_/), type: 'test.isolated', attempt: 1 } },
      expect.stringContaining('an ended attempt left'),
    ]);
  });
});

describe('a suspect', () => {
  const suspect = (deed: string, job = {}) => run(deed, { ...job, suspect: true });

  it('uses the process of one that is done; whoever was lost twice has a new one', async () => {
    await run('process');
    const first = whereItRan(await suspect('process'));
    const second = whereItRan(await suspect('process'));
    const again = whereItRan(await suspect('process', { losses: 2 }));
    expect([first.runs, second, again.runs]).toEqual([1, { ...first, runs: 2 }, 1]);
    expect(again.pid).not.toBe(first.pid);
  });

  it('never shares a process with one that still runs', async () => {
    const over = new AbortController();
    const allRun = Promise.withResolvers<void>();
    const pids = new Set<unknown>();
    const onProgress = (pid: unknown) => {
      if (pids.add(pid).size === 4) allRun.resolve();
    };
    const controls = { signal: over.signal, onProgress };
    const busy = Array.from({ length: 4 }, () => run('stay', { suspect: true }, controls));
    await allRun.promise;
    over.abort('shutdown');
    await Promise.all(busy);
  }, 30_000);

  it('does not wait for the processes that other jobs have', async () => {
    const over = new AbortController();
    const more = Math.max(2, availableParallelism()) + 1;
    const busy = Array.from({ length: more }, () => run('hang', { suspect: true }, { signal: over.signal }));
    expect(await suspect('process')).toMatchObject({ kind: 'returned' });
    over.abort('shutdown');
    await Promise.all(busy);
  }, 30_000);

  it.each(['exit', 'crash', 'outside'])(
    'that ends a new process (%s) is known to have done so',
    async (deed) => {
      const result = await suspect(deed, { losses: 2 });
      expect(result).toMatchObject({ error: { code: 'handler_exited' }, died: 'handlerProcess' });
    },
  );

  it('that ends a used process is not convicted by that', async () => {
    await suspect('process');
    expect(await suspect('exit')).toMatchObject({ error: { code: 'handler_exited' }, died: 'usedProcess' });
  });

  it('is timed out, canceled and asked to stop like any other', async () => {
    expect(await suspect('block', { timeoutMs: 50 })).toEqual({ kind: 'timedOut', timeoutMs: 50 });
    const controller = new AbortController();
    const onProgress = () => controller.abort('canceled');
    const controls = { signal: controller.signal, onProgress, graceMs: 10_000 };
    const result = await run('obey', { suspect: true }, controls);
    expect(result).toEqual({ kind: 'returned', resultJson: '"AbortError: The job was canceled."' });
  });

  it('whose handler has no file runs in the worker', async () => {
    const { file: _, ...builtIn } = handler;
    const result = await attempt(builtIn, { suspect: true });
    expect(result).toEqual({ kind: 'returned', resultJson: '"not here"' });
  });
});

describe('the process of an isolated handler', () => {
  it('dies with its worker, though the handler blocks it', async ({ signal }) => {
    const program = fileURLToPath(new URL('./testing/run-isolated.ts', import.meta.url));
    const worker = spawn(process.execPath, [program, join(folder, 'isolated.ts'), 'block'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(worker.stdout), 'line');
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    worker.kill('SIGKILL');
    while (isAlive(pid)) await delay(50, undefined, { signal });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
