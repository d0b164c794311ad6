import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from '@accepted/attacks/percentile';
import type { AttackReport } from '@accepted/attacks/report';
import { judgeBounds, judgeTimes, type Measured } from '@accepted/attacks/verdict';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

/**
 * Attacks that take all of a machine of two cores that the attacker is on as well: docs/security.md has by how much others
 * wait longer than promised. Here they are judged by what shows that a bound is gone.
 */
const TAKES_ALL = new Set([
  'largest-payloads',
  'waiting-crowd',
  'urgent-flood',
  'large-dead-letters',
  'costly-faults',
]);
/** Without their bounds it was seconds. */
const COLLAPSED_MS = 1_000;
const TIMEOUT_MS = 400_000;

test(
  'npm run attack: nobody is refused for another, memory is bounded, and nobody waits for another',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'accepted-attack-test-'));
    const json = join(folder, 'report.json');

    await using run = spawnProcess('scripts/run.mjs', { args: ['attacks/src/main.ts', '--json', json] });
    await run.exited;

    const output = run.lines.join('\n');
    const { measured } = JSON.parse(await readFile(json, 'utf8').catch(() => output)) as AttackReport;
    expect(measured.map(({ name }) => name)).toEqual(expect.arrayContaining([...TAKES_ALL]));
    expect(measured.flatMap(judgeBounds), output).toEqual([]);
    expect(measured.filter(({ name }) => !TAKES_ALL.has(name)).flatMap(judgeTimes), output).toEqual([]);
    expect(measured.filter(hasCollapsed), output).toEqual([]);
    await rm(folder, { recursive: true });
  },
  TIMEOUT_MS,
);

function hasCollapsed({ attacked, judged }: Measured): boolean {
  return [attacked.requestMs, attacked.jobMs].some((took) => percentile(took, judged) > COLLAPSED_MS);
}
