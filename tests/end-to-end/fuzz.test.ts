import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '@accepted/fuzz/report/run-report';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

const SEED = 11;
const TIMEOUT_MS = 180_000;

test(
  'npm run fuzz: whatever is asked of the documented operations, only what is documented is answered',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'accepted-fuzz-test-'));
    const json = join(folder, 'report.json');
    const args = ['fuzz/src/main.ts', '--size', 'small', '--seed', String(SEED), '--json', json];

    await using run = spawnProcess('scripts/run.mjs', { args });
    const { code } = await run.exited;

    const output = run.lines.join('\n');
    expect(code, output).toBe(0);
    expect(output).toContain('GREEN');
    const report = JSON.parse(await readFile(json, 'utf8')) as RunReport;
    expect(report.faults).toEqual([]);
    expect(report.requests).toBeGreaterThanOrEqual(1_500);
    expect(report.operations.length).toBeGreaterThan(25);
    await rm(folder, { recursive: true });
  },
  TIMEOUT_MS,
);
