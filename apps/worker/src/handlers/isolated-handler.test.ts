import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { closeIsolatedProcesses } from './process-pool.ts';
import { recordingLogger } from './testing/attempt.ts';
import { openIsolatedDeeds, whereItRan } from './testing/isolated-deeds.ts';

const { file, run, leave, close } = await openIsolatedDeeds();
afterAll(close);

async function runWithPermissions(setting: string, deed: string) {
  vi.stubEnv('HANDLER_PERMISSIONS', setting);
  vi.stubEnv('JOBS_DIR', dirname(file('isolated.ts')));
  await closeIsolatedProcesses();
  const result = await run(deed);
  vi.unstubAllEnvs();
  await closeIsolatedProcesses();
  return result;
}

describe('an isolated handler', () => {
  it('runs in a process that later attempts use again', async () => {
    const results = [await run('process', { attempt: 4 }), await run('process', { attempt: 4 })];
    const [first, second] = results.map(whereItRan);
    expect(first).toEqual({ pid: expect.any(Number), runs: 1, attempt: 4, age: 1767323045678 });
    expect(first?.pid).toBeGreaterThan(0);
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

  it('sees of the environment what HANDLER_ENV names', async () => {
    vi.stubEnv('HANDLER_ENV', 'NAMED');
    vi.stubEnv('NAMED', 'yes');
    vi.stubEnv('UNNAMED', 'secret');
    await closeIsolatedProcesses();
    const result = await run('environment');
    vi.unstubAllEnvs();
    await closeIsolatedProcesses();
    const seen = JSON.parse('resultJson' in result ? result.resultJson : '{}');
    expect(seen).toMatchObject({ NAMED: 'yes', PATH: expect.any(String) });
    expect(seen).not.toHaveProperty('UNNAMED');
  });

  it.each([
    ['off', 'done'],
    ['on', 'ERR_ACCESS_DENIED'],
  ])(
    'with HANDLER_PERMISSIONS=%s and files and programs that are not its own: %s',
    async (setting, outcome) => {
      const result = await runWithPermissions(setting, 'trespass');
      const outcomes = JSON.parse('resultJson' in result ? result.resultJson : '{}');
      const deeds =
        'read, secrets, kept, dotenv, folder, beside, around, linked, hoisted, write, program'.split(', ');
      expect(outcomes).toEqual(Object.fromEntries(deeds.map((deed) => [deed, outcome])));
    },
  );

  it('with HANDLER_PERMISSIONS=on imports its helpers, its own packages and those that are provided', async () => {
    expect(await runWithPermissions('on', 'imports')).toEqual({
      kind: 'returned',
      resultJson: '["package","helper","function","function"]',
    });
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

  it('gives no later one a process that is gone, though its channel looks open', async ({ signal }) => {
    await closeIsolatedProcesses();
    const { pid } = whereItRan(await run('process'));
    await leave('exitWithOpenChannel', 20);
    while (isAlive(pid)) await delay(20, undefined, { signal });
    expect(await run('process')).toMatchObject({ kind: 'returned' });
  });

  it('does not hold up a later one by blocking the process', async ({ signal }) => {
    await closeIsolatedProcesses();
    // Long enough for the attempt to have told its end: what blocks before that is still its own doing.
    await leave('blockLater', 500);
    while (!existsSync(file('blocked'))) await delay(20, undefined, { signal });
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

describe('the process of an isolated handler', () => {
  it('dies with its worker, though the handler blocks it', async ({ signal }) => {
    const program = fileURLToPath(new URL('./testing/run-isolated.ts', import.meta.url));
    const worker = spawn(process.execPath, [program, file('isolated.ts'), 'block'], {
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
