import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readWorkerLogs, SENTENCES } from './read-worker-logs.ts';

test('what workers said is read with the ids that they wrote', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'worker-logs-'));
  const line = (fields: object, msg: string) => JSON.stringify({ level: 40, pid: 7, ...fields, msg });
  const lines = [
    line(
      { jobId: 'job_01m80wvd14etfbnycmvzp2r688', attempt: 2 },
      `${SENTENCES.fenced}; its result is discarded`,
    ),
    line({}, SENTENCES.deaf),
    line({ jobId: 'job_01m80wvd14etfbnycmvzp2r688' }, 'something else'),
    line({ jobId: 'job_2' }, SENTENCES.discarded).slice(0, -1),
  ];
  await writeFile(join(folder, 'worker-1.log'), lines.join('\n'));
  expect(await readWorkerLogs(folder)).toEqual([
    { what: 'fenced', pid: 7, jobId: 'job_01m80wvd14etfbnycmvzp2r688', attempt: 2 },
    { what: 'deaf', pid: 7, jobId: null, attempt: null },
  ]);
  await rm(folder, { recursive: true });
});
