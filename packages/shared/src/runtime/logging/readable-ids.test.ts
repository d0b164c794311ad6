import { execFileSync } from 'node:child_process';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { newUuid, publicId } from '../../core/job/id.ts';
import { lazyChild } from './lazy-child.ts';

test('a log spells ids as the API does, in lines and in what children add', { timeout: 30_000 }, () => {
  const uuid = newUuid();
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('./create-logger.ts', import.meta.url))};
    const logger = createLogger({ name: 'test', level: 'info', secrets: [] });
    const [id, publicJobId] = process.argv.slice(1);
    logger.child({ jobId: id, attempt: 1 }).info({ workerId: id, tenantId: id }, 'one');
    logger.warn({ jobIds: [id], workerIds: [id], deadLetterId: id, bulkReplayId: id, apiKeyId: id }, 'two');
    logger.info({ jobId: publicJobId, workerId: undefined, tenantId: null, deadLetterId: 'none' }, 'three');`;
  const args = ['--input-type=module', '-e', script, uuid, publicId('job', uuid)];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
  expect(lines.join()).not.toContain(uuid);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { jobId: publicId('job', uuid), workerId: publicId('worker', uuid), tenantId: publicId('tenant', uuid) },
    {
      jobIds: [publicId('job', uuid)],
      workerIds: [publicId('worker', uuid)],
      deadLetterId: publicId('deadLetter', uuid),
      bulkReplayId: publicId('bulkReplay', uuid),
      apiKeyId: publicId('apiKey', uuid),
    },
    { jobId: publicId('job', uuid), tenantId: null, deadLetterId: 'none' },
  ]);
});

test('a lazy child costs nothing until it writes, and then writes as any child', () => {
  const lines: string[] = [];
  const parent = pino({ level: 'info', base: null, timestamp: false }, { write: (line) => lines.push(line) });
  const bindings = vi.fn(() => ({ jobId: 'job_1' }));
  const child = lazyChild(parent, bindings);
  child.debug({ a: 1 }, 'not written');
  expect(bindings).not.toHaveBeenCalled();
  child.info('said');
  child.error({ a: 1 }, 'said with %s', 'fields');
  expect(bindings).toHaveBeenCalledTimes(1);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 30, jobId: 'job_1', msg: 'said' },
    { level: 50, jobId: 'job_1', a: 1, msg: 'said with fields' },
  ]);
});
