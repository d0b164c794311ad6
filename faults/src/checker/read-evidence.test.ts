import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { expect, test } from 'vitest';
import { LOG_FILES } from '../logs.ts';
import { checkEvidence } from './check-evidence.ts';
import { readEvidence } from './read-evidence.ts';
import { SENTENCES } from './read-worker-logs.ts';
import { soundRun } from './testing/sound-run.ts';
import { writeRun } from './testing/write-run.ts';

test('a run is read back from its folder whole', async () => {
  const run = soundRun();
  const read = await readEvidence(await writeRun(run));
  expect(read).toEqual(run);
  expect(checkEvidence(read).flatMap((verdict) => verdict.violations)).toEqual([]);
});

test('what the workers say is read from the logs of all of them, a torn line notwithstanding', async () => {
  const folder = await writeRun(soundRun());
  const jobId = publicId('job', newUuid());
  const fenced = { pid: 7, jobId, attempt: 2, msg: `${SENTENCES.fenced}; the result is discarded` };
  const deaf = { pid: 8, queue: 'default', msg: `${SENTENCES.deaf}: it ends to be started anew` };
  await writeFile(join(folder, 'log/worker-1.log'), `${JSON.stringify(fenced)}\n{"pid":7,"ms`);
  await writeFile(join(folder, 'log/worker-2.log'), `${JSON.stringify(deaf)}\n`);
  await writeFile(join(folder, 'log/api-1.log'), `${JSON.stringify(fenced)}\n`);
  expect((await readEvidence(folder)).sayings).toEqual([
    { what: 'fenced', pid: 7, jobId, attempt: 2 },
    { what: 'deaf', pid: 8, jobId: null, attempt: null },
  ]);
});

test('the sentences that are looked for are those that the worker says', async () => {
  const worker = new URL('../../../apps/worker/src/', import.meta.url);
  const sources = await Promise.all(
    ['path/run-attempt.ts', 'services/rescue/watchdog.ts'].map((file) =>
      readFile(new URL(file, worker), 'utf8'),
    ),
  );
  for (const sentence of Object.values(SENTENCES)) expect(sources.join()).toContain(`'${sentence}`);
});

test('a log that is missing or torn is not taken for an empty one', async () => {
  const folder = await writeRun(soundRun());
  await writeFile(join(folder, LOG_FILES.acks), '{"at":1,"ke');
  await expect(readEvidence(folder)).rejects.toThrow(SyntaxError);
  await rm(join(folder, LOG_FILES.acks));
  await expect(readEvidence(folder)).rejects.toThrow('ENOENT');
});
