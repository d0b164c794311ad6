import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runControl } from '@accepted/faults/control/run-control';
import { expect, test } from 'vitest';

test('bare BullMQ loses acknowledged jobs when Redis is wiped, under the load that Accepted is put under', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-control-'));
  const { report, table } = await runControl({
    folder,
    jobs: 2_000,
    faults: 1,
    seed: 7,
    seconds: 10,
    command: 'npm test',
    onProgress: () => undefined,
  });

  expect(report.faultsByKind).toEqual({ 'redis-flushed': 1 });
  expect(report.traits).toEqual({ kill9: 0, wipes: 1, zombies: 0 });
  expect(report.figures.acknowledged).toBeGreaterThan(1_900);
  expect(report.figures.lost).toBeGreaterThan(0);
  expect(table).toContain('Control: bare BullMQ');
  expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))).toEqual(report);
  await rm(folder, { recursive: true });
}, 180_000);
