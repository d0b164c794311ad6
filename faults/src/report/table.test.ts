import { expect, test } from 'vitest';
import { fault, job, soundRun } from '../checker/testing/sound-run.ts';
import { figure, makeReport } from './run-report.ts';
import { renderTable } from './table.ts';

test('a green run says of each invariant that it held, with its figures', () => {
  const report = makeReport(soundRun());
  const table = renderTable(report);

  expect(report.green).toBe(true);
  expect(table).toContain('GREEN');
  expect(table.split('\n').filter((line) => line.endsWith(' ok'))).toHaveLength(report.verdicts.length);
  expect(table).toContain('acknowledged 1 · lost 0');
  expect(table).toContain('recovery p99 50 ms');
  expect(table).toContain('Faults: worker-killed 1');
});

test('a red run names the first violations of each invariant and counts the rest', () => {
  const acks = Array.from({ length: 12 }, (_, n) => ({
    ...soundRun().acks[0],
    key: `k${n}`,
    jobId: `job_${n}`,
  })) as ReturnType<typeof soundRun>['acks'];
  const report = makeReport(soundRun({ acks, jobs: [job({ status: 'queued' })] }));
  const table = renderTable(report);

  expect(report.green).toBe(false);
  expect(table).toContain('RED');
  expect(table).toContain('12 VIOLATED');
  expect(table).toContain('✗ job_0 (key k0) was acknowledged and is not there.');
  expect(table).toContain('✗ … and 2 more');
});

test('what the run left out stands in the table, with the reason', () => {
  const { run } = soundRun();
  const notRun = [{ kind: 'Redis Cluster', reason: 'there is no Cluster yet' }];
  expect(renderTable(makeReport(soundRun({ run: { ...run, notRun } })))).toContain(
    'Not run: Redis Cluster: there is no Cluster yet',
  );
});

test('no line is longer than a terminal shows', () => {
  const faults = (['worker-redis-link-blackholed', 'postgres-connections-exhausted'] as const).flatMap(
    (kind) => Array.from({ length: 3 }, () => fault({ kind })),
  );
  const table = renderTable(makeReport(soundRun({ faults })));
  expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});

test('a figure that the checker does not know is not guessed', () => {
  const report = makeReport(soundRun());
  expect(figure(report, 'I1', 'acknowledged')).toBe(1);
  expect(() => figure(report, 'I1', 'forgotten')).toThrow('no figure "forgotten" of I1');
});
