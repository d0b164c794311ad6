import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LOG_FILES } from '../logs.ts';
import { checkEvidence } from './check-evidence.ts';
import type { Evidence } from './evidence.ts';
import { readEvidence } from './read-evidence.ts';
import { soundRun } from './testing/sound-run.ts';

const jsonLines = (lines: unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** Writes a run into a folder as the harness leaves it, its effects in the files of two processes. */
async function writeRun(evidence: Evidence): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-checker-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'ledger'));
  await mkdir(join(folder, 'log'));
  const { run, effects, fencing, hits, ...rest } = evidence;
  await writeFile(join(folder, LOG_FILES.run), JSON.stringify(run));
  await writeFile(join(folder, LOG_FILES.receiver), jsonLines(hits));
  await writeFile(join(folder, 'effects-7.jsonl'), jsonLines(effects.slice(0, 1)));
  await writeFile(join(folder, 'effects-8.jsonl'), jsonLines(effects.slice(1)));
  for (const [name, lines] of Object.entries(rest))
    await writeFile(join(folder, LOG_FILES[name as keyof typeof rest]), jsonLines(lines));
  return folder;
}

test('a run is read back from its folder whole', async () => {
  const run = soundRun();
  const read = await readEvidence(await writeRun(run));
  expect(read).toEqual(run);
  expect(checkEvidence(read).flatMap((verdict) => verdict.violations)).toEqual([]);
});

test('fenced and discarded results are counted in the logs of all workers, a torn line notwithstanding', async () => {
  const folder = await writeRun(soundRun());
  const fenced = '{"level":40,"msg":"fenced: somebody else holds the job; the result is discarded"}\n';
  const discarded = '{"level":40,"msg":"the lease was lost during the attempt; its result is discarded"}\n';
  await writeFile(join(folder, 'log/worker-1.log'), `${fenced}{"level":30,"ms`);
  await writeFile(join(folder, 'log/worker-2.log'), `${discarded}${fenced}`);
  await writeFile(join(folder, 'log/api-1.log'), fenced);
  expect((await readEvidence(folder)).fencing).toEqual({ fenced: 2, discarded: 1 });
});

test('a log that is missing or torn is not taken for an empty one', async () => {
  const folder = await writeRun(soundRun());
  await writeFile(join(folder, LOG_FILES.acks), '{"at":1,"ke');
  await expect(readEvidence(folder)).rejects.toThrow(SyntaxError);
  await rm(join(folder, LOG_FILES.acks));
  await expect(readEvidence(folder)).rejects.toThrow('ENOENT');
});
