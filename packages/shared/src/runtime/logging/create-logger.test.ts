import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('a failure of what is tried again is written once, and counted; any other line is written each time', {
  timeout: 30_000,
}, () => {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('./create-logger.ts', import.meta.url))};
    const logger = createLogger({ name: 'test', level: 'info', secrets: [] });
    const err = new Error('away');
    for (let times = 0; times < 2; times += 1) {
      logger.warn({ err }, 'tried again');
      logger.warn({ err, queue: 'default' }, 'of a queue');
      logger.child({ jobId: 'job_1' }).warn({ err }, 'of a job');
      logger.error({ err }, 'an error');
      logger.warn({ queue: 'default' }, 'no failure');
    }`;
  const args = ['--input-type=module', '-e', script];
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const ofEachTime = ['of a job', 'no failure'];
  const ofOnce = lines.filter(({ msg }) => !ofEachTime.includes(msg));
  expect(ofOnce.map(({ msg, repeated }) => [msg, repeated])).toEqual([
    ['tried again', 1],
    ['of a queue', 1],
    ['an error', 1],
  ]);
  expect(lines.filter(({ msg }) => ofEachTime.includes(msg))).toHaveLength(4);
});
