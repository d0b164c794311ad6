import { createTestDatabase } from '@accepted/testing/test-database';
import pg from 'pg';
import { expect, test } from 'vitest';
import { drawSizes, drawTurns } from './draw-soak.ts';
import { judgeSoak } from './judge-soak.ts';
import { runSoak } from './run-soak.ts';

const MOVES = 5_000;
const SNAPSHOT_MINUTES = 0.05;

test('a soak moves jobs as often as it is asked to, and on while a snapshot is held, and is measured all the while', async () => {
  await using database = await createTestDatabase();
  const postgres = new pg.Client({ connectionString: database.url });
  await postgres.connect();
  const options = { moves: MOVES, snapshotMinutes: SNAPSHOT_MINUTES };
  const samples = await runSoak(database.db, postgres, options, () => undefined);
  await postgres.end();

  const moving = samples.filter(({ phase }) => phase === 'moving');
  const held = samples.filter(({ phase }) => phase === 'snapshot held');
  expect(moving.at(-1)?.moves).toBeGreaterThanOrEqual(MOVES);
  expect(held.at(-1)?.moves).toBeGreaterThan(moving.at(-1)?.moves ?? Number.NaN);
  expect(
    samples.every(({ turnMs, heapBytes, indexBytes }) => turnMs > 0 && heapBytes > 0 && indexBytes > 0),
  ).toBe(true);
  expect(judgeSoak(samples).map(({ ratio }) => ratio > 0)).toEqual([true, true, true]);
  expect(drawSizes(samples)).toContain('<svg');
  expect(drawTurns(samples)).toContain('<svg');
}, 60_000);
