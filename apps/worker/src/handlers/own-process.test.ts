import { availableParallelism } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { attempt } from './testing/attempt.ts';
import { openIsolatedDeeds, whereItRan } from './testing/isolated-deeds.ts';

const { handler, run, close } = await openIsolatedDeeds();
afterAll(close);

describe('a suspect', () => {
  const suspect = (deed: string, job = {}) => run(deed, { ...job, suspect: true });

  it('uses the process of one that is done; one that is accused has a new one', async () => {
    await run('process');
    const first = whereItRan(await suspect('process'));
    const second = whereItRan(await suspect('process'));
    const again = whereItRan(await suspect('process', { accused: true }));
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
      const result = await suspect(deed, { accused: true });
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
