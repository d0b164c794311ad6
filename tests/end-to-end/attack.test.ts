import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from '@accepted/attacks/percentile';
import type { AttackReport } from '@accepted/attacks/report';
import { judgeBounds, type Measured } from '@accepted/attacks/verdict';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

/**
 * How much longer than alone the quiet tenant may wait here (95th percentile). The promise is far tighter, and too tight for a
 * machine that others use as well: what ran beside it once made it 904 ms. Without most of the bounds it was seconds; the
 * tarpit's, without which it was 650 ms, has a test of its own (`tarpit.test.ts`).
 */
const HICCUP_MS = 1_000;
const ATTACKS = 12;
const TIMEOUT_MS = 400_000;

test(
  'npm run attack: nobody is refused for another, memory is bounded, and nobody stands still for another',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'accepted-attack-test-'));
    const json = join(folder, 'report.json');

    await using run = spawnProcess('scripts/run.mjs', { args: ['attacks/src/main.ts', '--json', json] });
    await run.exited;

    const output = run.lines.join('\n');
    const { measured } = JSON.parse(await readFile(json, 'utf8').catch(() => output)) as AttackReport;
    expect(measured).toHaveLength(ATTACKS);
    expect(measured.flatMap(judgeBounds), output).toEqual([]);
    expect(
      measured.filter(isStopped).map(({ name }) => name),
      output,
    ).toEqual([]);
    await rm(folder, { recursive: true });
  },
  TIMEOUT_MS,
);

function isStopped({ alone, attacked, judged }: Measured): boolean {
  return (['requestMs', 'jobMs'] as const).some(
    (kind) => percentile(attacked[kind], judged) > percentile(alone[kind], judged) + HICCUP_MS,
  );
}
