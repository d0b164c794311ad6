import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOG_FILES } from '../logs.ts';
import { checkEvidence } from './check-evidence.ts';
import { DISCARDED, FENCED, readEvidence } from './read-evidence.ts';
import { soundRun } from './testing/sound-run.ts';
import { writeRun } from './testing/write-run.ts';

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

test('the sentences that are counted are those that the worker says', async () => {
  const source = await readFile(new URL('../../../apps/worker/src/run-attempt.ts', import.meta.url), 'utf8');
  expect(source).toContain(`'${FENCED}`);
  expect(source).toContain(`'${DISCARDED}`);
});

test('a log that is missing or torn is not taken for an empty one', async () => {
  const folder = await writeRun(soundRun());
  await writeFile(join(folder, LOG_FILES.acks), '{"at":1,"ke');
  await expect(readEvidence(folder)).rejects.toThrow(SyntaxError);
  await rm(join(folder, LOG_FILES.acks));
  await expect(readEvidence(folder)).rejects.toThrow('ENOENT');
});
