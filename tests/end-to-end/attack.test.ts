import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttackReport } from '@accepted/attacks/report';
import { judgeBounds, judgeTimes } from '@accepted/attacks/verdict';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

/** What takes all of a small machine that the attacker is on as well; docs/security.md has by how much others wait too long. */
const TAKES_ALL = ['largest-payloads', 'waiting-crowd', 'urgent-flood', 'large-dead-letters'];
const TIMEOUT_MS = 300_000;

test(
  'npm run attack: nobody is refused for another, all memory comes back, and nobody waits for another',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'accepted-attack-test-'));
    const json = join(folder, 'report.json');

    await using run = spawnProcess('scripts/run.mjs', { args: ['attacks/src/main.ts', '--json', json] });
    await run.exited;

    const output = run.lines.join('\n');
    const { measured } = JSON.parse(await readFile(json, 'utf8').catch(() => output)) as AttackReport;
    expect(measured.map(({ name }) => name)).toEqual(expect.arrayContaining(TAKES_ALL));
    expect(measured.flatMap(judgeBounds), output).toEqual([]);
    const isBounded = ({ name }: { name: string }) => !TAKES_ALL.includes(name);
    expect(measured.filter(isBounded).flatMap(judgeTimes), output).toEqual([]);
    await rm(folder, { recursive: true });
  },
  TIMEOUT_MS,
);
