import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

const TIMEOUT_MS = 120_000;

test('what a job costs is within its budgets', { timeout: TIMEOUT_MS }, async () => {
  await using run = spawnProcess('bench/src/smoke/main.ts');
  const { code } = await run.exited;

  expect(code, run.lines.join('\n')).toBe(0);
});
