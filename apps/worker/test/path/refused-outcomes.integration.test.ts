import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { CONFIG, useWorkers } from '../use-workers.ts';

const workers = useWorkers('redis');
const { start, submit, submitOne, reaches, attemptsOf } = workers;
const ATTEMPTS = {
  maxAttempts: 2,
  backoff: { type: 'fixed', delayMs: 1, jitter: 'none' },
} as const;

afterEach(async () => {
  await sql`DROP FUNCTION IF EXISTS refuse CASCADE`.execute(workers.database.db);
});

/** Has Postgres raise `code` whenever a row of `table` is written for which `condition` holds. */
async function refuse(table: 'attempts' | 'dead_letters', condition: string, code: string): Promise<void> {
  const { db } = workers.database;
  const raise = `RAISE EXCEPTION 'refused by the test' USING ERRCODE = '${code}'`;
  await sql
    .raw(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN ${raise}; END $$`)
    .execute(db);
  await sql
    .raw(`CREATE TRIGGER refuse_${table} BEFORE INSERT OR UPDATE ON ${table}
    FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`)
    .execute(db);
}

const SUCCEEDS = "NEW.status = 'succeeded'";

describe('an outcome that the ledger refuses', () => {
  test('makes its job a dead letter, and spares those that are written with it', async () => {
    await refuse('attempts', `${SUCCEEDS} AND NEW.result::text = '"bad"'`, '23514');
    const allRun = Promise.withResolvers<void>();
    let runs = 0;
    await start('spared', async (payload) => {
      runs += 1;
      if (runs === CONFIG.WORKER_CONCURRENCY) allRun.resolve();
      await allRun.promise;
      return payload;
    });
    const good = await submit('spared', ATTEMPTS, CONFIG.WORKER_CONCURRENCY - 1);
    const bad = await submitOne('spared', { ...ATTEMPTS, payloadJson: '"bad"' });
    const failed = await reaches(bad.id, 'failed');
    expect(failed.error).toMatchObject({ code: 'outcome_not_recorded', retryable: false });
    expect(failed.error?.message).toContain('refused by the test');
    for (const job of good) expect(await reaches(job.id, 'succeeded')).toMatchObject({ attempts_made: 1 });
  });

  test('is tried again when the disk of Postgres is to blame', async () => {
    await sql`CREATE SEQUENCE tries`.execute(workers.database.db);
    await refuse('attempts', `${SUCCEEDS} AND nextval('tries') <= 3`, '58030');
    await start('disk', async () => 'done');
    const job = await submitOne('disk', ATTEMPTS);
    expect(await reaches(job.id, 'succeeded')).toMatchObject({ result: 'done', attempts_made: 1 });
  });

  test('counts its attempt, also when not even a dead letter can be written', async () => {
    await refuse('attempts', SUCCEEDS, '23514');
    await refuse('dead_letters', 'true', '23514');
    let runs = 0;
    await start('counted', async () => {
      runs += 1;
      if (runs > ATTEMPTS.maxAttempts) throw new Error('The handler ran again without end.');
      if (runs === ATTEMPTS.maxAttempts)
        await sql`DROP TRIGGER refuse_dead_letters ON dead_letters`.execute(workers.database.db);
    });
    const job = await submitOne('counted', ATTEMPTS);
    expect(await reaches(job.id, 'failed')).toMatchObject({ attempts_made: 2 });
    expect(runs).toBe(2);
    expect((await attemptsOf(job.id)).map((attempt) => attempt.outcome)).toEqual(['failed', 'failed']);
  });
});
