import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

const SEED = 11;
const ROUNDS = 1;
const TIMEOUT_MS = 400_000;

test(
  'npm run fuzz:hold: no request that a search finds, to any operation or of any schema, holds the event loop for long',
  async () => {
    const args = ['fuzz/src/hold/main.ts', '--seed', String(SEED), '--rounds', String(ROUNDS)];
    await using run = spawnProcess('scripts/run.mjs', { args });
    const { code } = await run.exited;
    const output = run.lines.join('\n');
    expect(code, output).toBe(0);
    expect(output).toContain(`seed ${SEED}`);
    expect(output).toContain('GREEN');
  },
  TIMEOUT_MS,
);
